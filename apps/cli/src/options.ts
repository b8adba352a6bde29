import { PRUNING_METHODS } from '@prune/checkpoint';
import { QUANTIZATION_PROFILES } from '@prune/core';
import { DEFAULT_PACK_OPTIONS, type PackOptions } from '@prune/model-files';
import { CODEC_NAMES } from '@prune/model-files/node';
import { InvalidArgumentError, Option } from 'commander';

/** What says how a checkpoint is packed; the defaults are those of `DEFAULT_PACK_OPTIONS` but for what `defaults` says. */
export function packOptions(defaults: Partial<PackOptions> = {}): readonly Option[] {
  const { exclude, perChannel, embeddings, profile } = { ...DEFAULT_PACK_OPTIONS, ...defaults };
  return [
    new Option('--exclude <modules>', 'leave out modules by name, e.g. embeddings,pooler')
      .argParser((text) => text.split(',').filter((part) => part !== '' && part !== 'none'))
      .default(exclude, exclude.join(',') || 'none'),
    new Option('--per-channel', 'one scale a row instead of one a matrix').default(perChannel),
    new Option('--embeddings <dtype>', 'embedding tables as floats, or row by row in 8 or 4 bits')
      .choices(['f32', 'int8', 'int4'])
      .default(embeddings),
    new Option('--profile <profile>', 'how the quantized layers compute')
      .choices(QUANTIZATION_PROFILES)
      .default(profile),
  ];
}

/** What makes pruned weights of the scores that movement pruning saved. */
export function pruningOptions(): readonly Option[] {
  return [
    new Option('--pruning-method <method>', 'mask the weights by their mask_scores').choices(PRUNING_METHODS),
    new Option(
      '--pruning-threshold <number>',
      'of the pruning method: what is kept, or what sigmoid(score) exceeds',
    ).argParser(fraction),
  ];
}

/** What says how a store is written. */
export function storeOptions(): readonly Option[] {
  return [
    new Option('--store <store>', 'the store, where the name of the file does not say').choices(['h5', 'msgpack']),
    new Option('--codec <codec>', 'how a .prune file compresses').choices(CODEC_NAMES),
    new Option('--preset <preset>', 'of the codec entropy: opens quickly, or is smallest').choices(['fast', 'max']),
    new Option('--level <level>', 'gzip level, 0 to 9').argParser(gzipLevel),
  ];
}

/** `--state-dict`: the model of a file that has several. */
export function stateDictOption(): Option {
  return new Option('--state-dict <name>', 'which model of a file that has several, e.g. model or ema.module');
}

/** `--base`: another file that has blocks of the one that is written. */
export function baseOption(): Option {
  return new Option('--base <file>', 'a .prune file or its URL: what it holds is left out, and it must stay there');
}

/** `--force`: replaces what exists, never what is read. */
export function forceOption(): Option {
  return new Option('--force', 'replace an output that exists, and the files beside an .h5; a terminal is asked');
}

/** `--quiet`: results only. */
export function quietOption(): Option {
  return new Option('-q, --quiet', 'no progress and no notes');
}

function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('wanted 0 to 1');
  return value;
}

function gzipLevel(text: string): number {
  if (!/^[0-9]$/.test(text)) throw new InvalidArgumentError('wanted 0 to 9');
  return Number(text);
}
