import { QUANTIZATION_PROFILES } from '@prune/core';
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_MAX_TEXT_SIZE } from './model/read-text.js';

/** What a command that opens any form of a model says of its argument. */
export const MODEL_ARGUMENT =
  'a .prune or .h5 file (file.prune#name: one model of several), a model folder or a checkpoint file; - reads standard input';

/** What says how a model is loaded for inference: the flags of `InferenceOptions`. */
export function inferenceOptions(): readonly Option[] {
  return [
    new Option('--embeddings-from <model_dir>', 'a model folder whose embeddings are used where the file has none'),
    new Option('--config <file>', 'a config.json instead of the one of the model'),
    new Option('--profile <profile>', 'how the quantized layers compute (default: as the file says)').choices(
      QUANTIZATION_PROFILES,
    ),
    new Option('--threads <count>', 'threads to compute with').argParser(positiveInteger).default(1),
    new Option(
      '--wide',
      "vectors of 256 bits where this Node has V8's experimental pass for them (x64, Node 24 and 26)",
    ),
    new Option('--attention <mode>', 'attention in floats, or in 16-bit integers').choices(['float32', 'int16']),
    new Option('--max-text-size <MiB>', 'most MiB of a text, JSON or config that is read')
      .argParser(positiveInteger)
      .default(DEFAULT_MAX_TEXT_SIZE),
    new Option('--rowwise', 'quantize the activations of each token alone, not of a whole batch'),
  ];
}

/** A whole number of at least 1, for commander. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError('wanted a whole number of at least 1');
  }
  return value;
}

/** Any finite number, for commander. */
export function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('wanted a number');
  return value;
}
