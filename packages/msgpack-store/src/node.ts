export { type CreateMsgpackFileOptions, createMsgpackFile } from './node/create-msgpack-file.js';
export { type OpenMsgpackFileOptions, openMsgpackFile } from './node/open-msgpack-file.js';
