export {
  CHECKPOINT_FILES,
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
