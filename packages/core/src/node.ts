export { type AtomicFileOptions, atomicFile } from './node/atomic-file.js';
export { type FileGroup, type FileGroupOptions, type FilesBeside, fileGroup } from './node/file-group.js';
export { fileSource } from './node/file-source.js';
export type { FolderFiles } from './node/folder-files.js';
export { type MainFile, openMainFile } from './node/open-main-file.js';
export { readRange } from './node/read-range.js';
export { refuseExisting } from './node/refuse-existing.js';
export { type StagedFolder, stagedFolder } from './node/staged-folder.js';
export { writeWholeFile } from './node/write-whole-file.js';
