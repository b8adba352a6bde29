export { CHECKPOINT_FILES } from './node/locate-checkpoint.js';
export {
  type OpenCheckpoint,
  type OpenCheckpointOptions,
  type OpenStagedCheckpoint,
  openCheckpoint,
  openStagedCheckpoint,
} from './node/open-checkpoint.js';
export {
  checkpointFolderFiles,
  type WriteCheckpointFolderOptions,
  writeCheckpointFolder,
} from './node/write-checkpoint-folder.js';
export {
  type FolderModel,
  modelFolderFiles,
  type WriteModelFolderOptions,
  writeModelFolder,
} from './node/write-model-folder.js';
