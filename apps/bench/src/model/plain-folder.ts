import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { copyFile, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { workFolder } from '../bench-folder.js';
import type { BenchModel } from './bench-model.js';

const COPIED = ['config.json', 'vocab.txt', 'tokenizer.json'];

/** The model's folder as transformers reads it: the same, or a copy with its gzipped weights unpacked. */
export async function plainFolder({ folder, sha256 }: BenchModel): Promise<string> {
  const packed = join(folder, 'model.safetensors.gz');
  if (!existsSync(packed)) return folder;
  const plain = join(workFolder, 'models', `unpacked-${sha256.slice(0, 16)}`);
  const weights = join(plain, 'model.safetensors');
  if (!existsSync(weights)) {
    await mkdir(plain, { recursive: true });
    for (const name of COPIED)
      if (existsSync(join(folder, name))) await copyFile(join(folder, name), join(plain, name));
    await pipeline(createReadStream(packed), createGunzip(), createWriteStream(`${weights}.tmp`));
    await rename(`${weights}.tmp`, weights);
  }
  return plain;
}
