import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PruneError } from '@prune/core';
import { atomicFile } from '@prune/core/node';
import { openStore } from '@prune/model-files/node';
import { workFolder } from '../../bench-folder.js';
import { type BertOnnxOptions, bertOnnx, type PeerPrecision } from '../../peers/bert-onnx.js';
import { standardBertOnnx } from '../../peers/standard-bert-onnx.js';

/** Raised when the graphs change, so that older files are made anew. */
const GRAPH = 2;

/** Which of the peers' graphs: that of ONNX Runtime in a precision, or that of standard operators with int8 weights. */
export type OnnxForm = PeerPrecision | 'standard';

/** A peer's graph of a packed model, made when it is not there yet. For BERT-base: 180 MB int8, 438 MB fp32. */
export async function onnxFile(
  name: string,
  packed: string,
  sha256: string,
  form: OnnxForm,
  options: BertOnnxOptions = {},
): Promise<string> {
  const folder = join(workFolder, 'onnx');
  await mkdir(folder, { recursive: true });
  const fileForm = options.transformers ? `${form}-transformers` : form;
  const path = join(folder, `${name}-${sha256.slice(0, 12)}-${fileForm}-g${GRAPH}.onnx`);
  if (existsSync(path)) return path;
  const store = await openStore(packed);
  try {
    const { config } = store.metadata;
    if (config === undefined) throw new PruneError('missing', { where: packed, what: 'no config' });
    const sink = await atomicFile(path);
    try {
      const graph = form === 'standard' ? standardBertOnnx(store, config) : bertOnnx(store, config, form, options);
      for (const chunk of await graph) await sink.write(chunk);
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
