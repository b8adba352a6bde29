import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '@prune/bert-infer';
import { openCheckpoint } from '@prune/checkpoint/node';
import type { Elementary } from '@prune/core';
import { packCheckpoint } from '@prune/model-files';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BENCH_SKIP_CONDITIONS } from '../../../test/skip-conditions.js';
import type { Python } from '../../harness/python.js';
import { findPythonPeer } from '../../peers/find-python-peer.js';
import { standardBertOnnx } from '../../peers/standard-bert-onnx.js';
import { writeSeededModel } from '../../seeded/write-seeded-model.js';
import { forkSide } from './fork-side.js';
import type { PythonSpec } from './side.js';
import { tokenIds } from './token-ids.js';

const SMALL = { layers: 2, hidden: 64, heads: 4, intermediate: 128, vocabulary: 30_522, positions: 128, density: 0.3 };

let parent: string;
let folder: string;
let ours: number[];
const work = { batch: 2, tokens: 9 };
const graph = () => join(parent, 'standard.onnx');

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'prune-python-sides-'));
  folder = (await writeSeededModel(SMALL, { parent })).folder;
  const checkpoint = await openCheckpoint(folder);
  const elementary = new Map<string, Elementary>();
  for await (const [name, value] of packCheckpoint(checkpoint, { embeddings: 'int8' }).entries)
    elementary.set(name, value);
  const { config } = checkpoint.metadata;
  await checkpoint.close();
  await writeFile(graph(), Buffer.concat([...(await standardBertOnnx(elementary, config!))]));
  const metadata = { config, profile: 'fbgemm' as const };
  const model = await loadModel(Object.assign(elementary, { metadata }), { engine: { kernels: 'reference' } });
  const logits = await model.logits({ input_ids: tokenIds(work) }, { head: 'question-answering' });
  ours = [...logits.start_logits.data, ...logits.end_logits.data];
});
afterAll(() => rm(parent, { recursive: true }));

/** The largest difference from ours, as a share of our largest logit, and what three passes took. */
async function compare(spec: PythonSpec) {
  const side = await forkSide(spec.runtime, spec);
  try {
    const theirs = await side.logits(work);
    const seconds = await side.time(work, 3);
    const largest = Math.max(...ours.map(Math.abs));
    const difference = Math.max(...ours.map((value, i) => Math.abs(value - theirs[i]))) / largest;
    return { difference, seconds, ready: side.ready };
  } finally {
    await side.close();
  }
}

describe.skipIf(await BENCH_SKIP_CONDITIONS['no-openvino']())('OpenVINO', () => {
  it('computes what ours does, when it is told to', async () => {
    const { command } = (await findPythonPeer('openvino')) as Python;
    const { difference, seconds, ready } = await compare({
      runtime: 'openvino',
      python: command,
      file: graph(),
      threads: 1,
    });
    expect(difference).toBeLessThan(0.1);
    expect(seconds).toHaveLength(3);
    expect(ready.kernels).toMatch(/^8-bit weights/);
    expect(ready.version).toMatch(/^20\d\d\./);
  });

  it('says why it cannot', async () => {
    const { command } = (await findPythonPeer('openvino')) as Python;
    const file = join(parent, 'missing.onnx');
    await expect(compare({ runtime: 'openvino', python: command, file, threads: 1 })).rejects.toMatchObject({
      code: 'io',
    });
  });
});

describe.skipIf(await BENCH_SKIP_CONDITIONS['no-pytorch']())('PyTorch', () => {
  it('computes what ours does, when it is told to', async () => {
    const { command } = (await findPythonPeer('pytorch')) as Python;
    const { difference, seconds, ready } = await compare({
      runtime: 'pytorch',
      python: command,
      file: folder,
      threads: 1,
    });
    expect(difference).toBeLessThan(0.1);
    expect(seconds).toHaveLength(3);
    expect(ready.version).toMatch(/^\d+\./);
  });
});
