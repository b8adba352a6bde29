import type { JsonObject } from '../byte-sources/parse-json.js';
import type { ReadableMap } from '../stages/stages.js';

/**
 * How a quantized Linear computes: the range of its activations and how its last line rounds.
 * `fbgemm`: 0..127, one rounding. `fbgemm-1.5`: 0..255, one rounding (torch < 1.6, the notebook). `qnnpack`: 0..255, two roundings (Arm).
 * `onnxruntime`: 0..255 as `DynamicQuantizeLinear` of ONNX computes them, two roundings.
 */
export type QuantizationProfile = 'fbgemm' | 'fbgemm-1.5' | 'qnnpack' | 'onnxruntime';

/** Every profile, the default first. */
export const QUANTIZATION_PROFILES: readonly QuantizationProfile[] = ['fbgemm', 'fbgemm-1.5', 'qnnpack', 'onnxruntime'];

/** The files of a tokenizer that travel with a model, as transformers names them. */
export const TOKENIZER_FILES: readonly string[] = [
  'vocab.txt',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
];

/** The files that come with a model, by name. */
export interface ModelFiles extends ReadableMap<Uint8Array> {
  /**
   * The parts of a JSON file that is stored without its vocabulary; `undefined` for every other file. For whoever wants
   * what the file says and not its bytes: the vocabulary of BERT is then neither written as JSON nor parsed.
   */
  parts?(name: string): Promise<JsonParts | undefined>;
}

/** A JSON file in two parts. */
export interface JsonParts {
  /** The text, in which one object `vocab` is empty. */
  readonly json: Uint8Array;
  /** What that object holds: a token a line, in UTF-8, each the key of its line's number. */
  readonly lines: Uint8Array;
}

/** What travels with the tensors of a model. Everything is optional: the notebook's own files have only `modules`. */
export interface ModelMetadata {
  /** The Hugging Face config.json. */
  readonly config?: JsonObject;
  /** PyTorch's `state_dict()._metadata`, the notebook's metadata.json: module name -> its version. */
  readonly modules?: JsonObject;
  readonly profile?: QuantizationProfile;
  /**
   * The files of the tokenizer, byte for byte, by their names in {@link TOKENIZER_FILES}.
   * A `Map` is one. A store reads a file only when it is asked for, so that opening stays cheap: `await files.get(name)`.
   */
  readonly files?: ModelFiles;
  /**
   * The JSON files of a sentence-transformers folder, parsed, by their paths: `modules.json`, `1_Pooling/config.json`
   * and so on. `sentencePipeline` reads them.
   */
  readonly sentence?: JsonObject;
}
