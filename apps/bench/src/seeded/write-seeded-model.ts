import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeSafetensors } from '@prune/checkpoint';
import { atomicFile } from '@prune/core/node';
import { repositoryFolder, workFolder } from '../bench-folder.js';
import { SEEDED_MODEL_DEFAULTS, type SeededModelOptions, seededModel } from './seeded-model.js';

/** A seeded checkpoint on disk, as transformers reads one. */
export interface SeededCheckpoint {
  readonly folder: string;
  /** Of `model.safetensors`, in hexadecimal: two machines that report the same have measured the same weights. */
  readonly sha256: string;
}

/** Raised when the generator changes, so that folders of an older one are made anew. */
const GENERATOR = 1;

/** The vocabulary is that of BERT uncased, as the repository's own model has it. */
const TOKENIZER_FILES = ['vocab.txt', 'tokenizer.json'];

/**
 * The folder of a seeded checkpoint (config.json, model.safetensors, vocab.txt, tokenizer.json), made when it is not there yet: 438 MB for BERT-base.
 * Whole or absent: what says that it is whole is written last.
 */
export async function writeSeededModel(
  options: SeededModelOptions = {},
  { parent = join(workFolder, 'models'), onTensor }: { parent?: string; onTensor?: (name: string) => void } = {},
): Promise<SeededCheckpoint> {
  const size = { ...SEEDED_MODEL_DEFAULTS, ...options };
  const folder = join(parent, folderName(size));
  const stamp = join(folder, 'seeded.json');
  const wanted = { generator: GENERATOR, ...size };
  if (existsSync(stamp)) {
    const { sha256, ...found } = JSON.parse(await readFile(stamp, 'utf8'));
    if (JSON.stringify(found) === JSON.stringify(wanted)) return { folder, sha256 };
    await rm(stamp);
  }
  await mkdir(folder, { recursive: true });
  const { config, stateDict } = seededModel(size);
  const path = join(folder, 'model.safetensors');
  await writeSafetensors(await atomicFile(path), stateDict, { onTensor });
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  if (size.vocabulary === SEEDED_MODEL_DEFAULTS.vocabulary) {
    for (const name of TOKENIZER_FILES)
      await copyFile(join(repositoryFolder, 'models', 'mini-qa', name), join(folder, name));
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const sha256 = hash.digest('hex');
  await writeFile(stamp, `${JSON.stringify({ ...wanted, sha256 })}\n`);
  return { folder, sha256 };
}

/** `seeded-base-d6`: the size (`base` or its numbers), the density in percent, and the seed where it is not 1. */
function folderName({ density, seed, ...size }: Required<SeededModelOptions>): string {
  const { density: _, seed: defaultSeed, ...base } = SEEDED_MODEL_DEFAULTS;
  const shape = JSON.stringify(Object.entries(size).sort()) === JSON.stringify(Object.entries(base).sort());
  const sizeName = shape
    ? 'base'
    : `${size.layers}x${size.hidden}-h${size.heads}-i${size.intermediate}-v${size.vocabulary}-p${size.positions}`;
  return `seeded-${sizeName}-d${Number((100 * density).toPrecision(6))}${seed === defaultSeed ? '' : `-s${seed}`}`;
}
