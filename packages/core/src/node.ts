export { atomicFile } from './node/atomic-file.js';
export { fileSource } from './node/file-source.js';
export { type OpenSourceOptions, openSource } from './node/open-source.js';
export { readRange } from './node/read-range.js';
export { refuseExisting } from './node/refuse-existing.js';
export { writeWholeFile } from './node/write-whole-file.js';
