import type { ElementaryStateDict, JsonObject, QuantizationProfile, QuantizedStateDict } from '@prune/core';
import type { Checkpoint, CheckpointFormat } from './checkpoint.js';

/** A file of tensors by the stage that its model is at: a file of PyTorch's may be quantized already, or decomposed. */
export type StagedCheckpoint = FloatCheckpoint | QuantizedCheckpoint | ElementaryCheckpoint;

/** What a reader did to a model beyond reading it. */
interface ReadingNotes {
  /**
   * One sentence each, for the person who packs the model: a prefix that was removed from the names, tensors that were
   * left out.
   */
  readonly notes: readonly string[];
  /** The keys that lead to the state dict within a pickle, joined by dots. Absent or empty: the pickle is one. */
  readonly stateDict?: string;
}

/** A model in floats, ready to be quantized. */
export interface FloatCheckpoint extends ReadingNotes {
  readonly stage: 'float';
  readonly tensors: Checkpoint;
  close(): Promise<void>;
}

/** A model that PyTorch quantized, with its own integers and scales. */
export interface QuantizedCheckpoint extends ReadingNotes {
  readonly stage: 'quantized';
  /** For messages. */
  readonly name: string;
  readonly format: CheckpointFormat;
  /** Each module is read and checked when it is asked for. */
  readonly quantized: QuantizedStateDict;
  /** torch's `_metadata`, the versions of the modules, if the file has it. */
  readonly modules?: JsonObject;
  /** How the model computes, where the layout alone tells it: that of torch 1.4 and 1.5. */
  readonly profile?: QuantizationProfile;
  close(): Promise<void>;
}

/** A model in the notebook's elementary form, saved by `torch.save`. */
export interface ElementaryCheckpoint extends ReadingNotes {
  readonly stage: 'elementary';
  /** For messages. */
  readonly name: string;
  readonly format: CheckpointFormat;
  readonly elementary: ElementaryStateDict;
  close(): Promise<void>;
}
