export {
  CHECKPOINT_FILES,
  type OpenCheckpoint,
  type OpenCheckpointOptions,
  openCheckpoint,
} from './node/open-checkpoint.js';
