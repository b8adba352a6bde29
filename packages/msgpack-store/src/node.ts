export { type CreateMsgpackFileOptions, createMsgpackFile } from './node/create-msgpack-file.js';
export { openMsgpackFile } from './node/open-msgpack-file.js';
