export { atomicFile } from './node/atomic-file.js';
export { fileSource } from './node/file-source.js';
export { writeWholeFile } from './node/write-whole-file.js';
