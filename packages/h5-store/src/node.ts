export { changedBesideH5 } from './node/changed-beside-h5.js';
export { type CreateH5FileOptions, createH5File } from './node/create-h5-file.js';
export { type OpenH5FileOptions, openH5File } from './node/open-h5-file.js';
export { pathsBesideH5 } from './node/paths-beside-h5.js';
