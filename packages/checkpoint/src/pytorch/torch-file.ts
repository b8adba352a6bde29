import type { Checkpoint } from '../checkpoint.js';
import type { PickledModel } from './pickled-model.js';

/** A file of torch's: what its pickle says, and the tensors that are in its storages. */
export interface TorchFile {
  readonly model: PickledModel;
  /** Under the names of `tensorsOf`. */
  readonly tensors: Checkpoint;
  /** Where in the pickle the model is, see `StagedCheckpoint`. */
  readonly stateDict: string;
  readonly notes: readonly string[];
}
