export { basesBeside } from './node/bases-beside.js';
export { type CreateMsgpackFileOptions, createMsgpackFile } from './node/create-msgpack-file.js';
export { nodePlatform } from './node/node-platform.js';
export { type OpenMsgpackFileOptions, openMsgpackFile } from './node/open-msgpack-file.js';
