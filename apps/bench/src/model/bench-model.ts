import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PruneError } from '@prune/core';
import { repositoryFolder } from '../bench-folder.js';
import { writeSeededModel } from '../seeded/write-seeded-model.js';

/** A model folder that is measured. */
export interface BenchModel {
  readonly name: string;
  readonly origin: 'embedded' | 'seeded' | 'folder';
  readonly folder: string;
  readonly sha256: string;
}

/** The repository's own model. */
export async function embeddedModel(): Promise<BenchModel> {
  const folder = join(repositoryFolder, 'models', 'mini-qa');
  return { name: 'mini-qa', origin: 'embedded', folder, sha256: await hashWeights(folder) };
}

/** The seeded BERT-base sized model of a density, made when it is not there yet. */
export async function seededBase(density: number, log: (line: string) => void): Promise<BenchModel> {
  log(`seeded: BERT-base sized at ${100 * density} %`);
  const { folder, sha256 } = await writeSeededModel({ density });
  return { name: basename(folder), origin: 'seeded', folder, sha256 };
}

/** Anybody's model folder. Throws `missing` when it holds no weights that the bench knows. */
export async function folderModel(path: string): Promise<BenchModel> {
  const folder = resolve(path);
  return { name: basename(folder), origin: 'folder', folder, sha256: await hashWeights(folder) };
}

const WEIGHTS = [
  'model.safetensors',
  'model.safetensors.gz',
  'pytorch_model.bin',
  'pytorch_model.bin.gz',
  'model.safetensors.index.json',
];

/** The file with the weights, or the index where they are in several. Throws `missing` for a folder without one. */
export function weightsFile(folder: string): string {
  const path = WEIGHTS.map((name) => join(folder, name)).find(existsSync);
  if (path !== undefined) return path;
  const what = existsSync(folder) ? 'no weights' : 'no such folder';
  throw new PruneError('missing', { where: folder, what, wanted: WEIGHTS.join(', ') });
}

/** SHA-256 of the file with the weights, or of the index where they are in several. */
async function hashWeights(folder: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(weightsFile(folder)), hash);
  return hash.digest('hex');
}
