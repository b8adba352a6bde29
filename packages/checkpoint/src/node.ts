export {
  CHECKPOINT_FILES,
  type OpenCheckpoint,
  type OpenCheckpointOptions,
  openCheckpoint,
  TOKENIZER_FILES,
} from './node/open-checkpoint.js';
