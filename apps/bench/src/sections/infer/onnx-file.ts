import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PruneError } from '@prune/core';
import { atomicFile } from '@prune/core/node';
import { openStore } from '@prune/model-files/node';
import { workFolder } from '../../bench-folder.js';
import { type BertOnnxOptions, bertOnnx, type PeerPrecision } from '../../peers/bert-onnx.js';

/** Raised when the graphs change, so that older files are made anew. */
const GRAPH = 2;

/** The peer's graph of a packed model, made when it is not there yet: 110 MB as int8, 438 MB as fp32 for BERT-base. */
export async function onnxFile(
  name: string,
  packed: string,
  sha256: string,
  precision: PeerPrecision,
  options: BertOnnxOptions = {},
): Promise<string> {
  const folder = join(workFolder, 'onnx');
  await mkdir(folder, { recursive: true });
  const form = options.transformers ? `${precision}-transformers` : precision;
  const path = join(folder, `${name}-${sha256.slice(0, 12)}-${form}-g${GRAPH}.onnx`);
  if (existsSync(path)) return path;
  const store = await openStore(packed);
  try {
    const { config } = store.metadata;
    if (config === undefined) throw new PruneError('missing', { where: packed, what: 'no config' });
    const sink = await atomicFile(path);
    try {
      for (const chunk of await bertOnnx(store, config, precision, options)) await sink.write(chunk);
      await sink.commit();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  } finally {
    await store.close();
  }
  return path;
}
