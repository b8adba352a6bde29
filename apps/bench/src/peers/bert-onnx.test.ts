import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '@prune/bert-infer';
import { openCheckpoint } from '@prune/checkpoint/node';
import type { Elementary } from '@prune/core';
import { packCheckpoint } from '@prune/model-files';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BENCH_SKIP_CONDITIONS } from '../../test/skip-conditions.js';
import { loadSide } from '../sections/infer/load-side.js';
import { tokenIds } from '../sections/infer/token-ids.js';
import { writeSeededModel } from '../seeded/write-seeded-model.js';
import { bertOnnx } from './bert-onnx.js';
import { installedPeers } from './ensure-peers.js';
import { standardBertOnnx } from './standard-bert-onnx.js';

const SMALL = {
  layers: 2,
  hidden: 64,
  heads: 4,
  intermediate: 128,
  vocabulary: 30_522,
  positions: 32,
  density: 0.3,
} as const;

describe.skipIf(await BENCH_SKIP_CONDITIONS['no-onnxruntime']())("the peers' graphs", () => {
  let folder: string;
  let elementary: Map<string, Elementary>;
  let config: { readonly [key: string]: unknown };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'prune-onnx-'));
    const checkpoint = await openCheckpoint((await writeSeededModel(SMALL, { parent: folder })).folder);
    elementary = new Map();
    for await (const [name, value] of packCheckpoint(checkpoint, { embeddings: 'int8' }).entries)
      elementary.set(name, value);
    config = checkpoint.metadata.config!;
    await checkpoint.close();
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['onnxruntime-node', 'onnxruntime-web'] as const)('%s computes what ours does', async (runtime) => {
    const work = { batch: 2, tokens: 9 };
    const peers = (await installedPeers())!.folder;
    const metadata = { config, profile: 'fbgemm-1.5' as const };
    const model = await loadModel(Object.assign(elementary, { metadata }), { engine: { kernels: 'reference' } });
    const { start_logits, end_logits } = await model.logits(
      { input_ids: tokenIds(work) },
      { head: 'question-answering' },
    );
    const ours = [...start_logits.data, ...end_logits.data];
    const largest = Math.max(...ours.map(Math.abs));
    for (const [name, graph, tolerance] of [
      ['int8', () => bertOnnx(elementary, config, 'int8'), 0.02],
      ['fp32', () => bertOnnx(elementary, config, 'fp32'), 0.05],
      ['standard', () => standardBertOnnx(elementary, config), 0.05],
    ] as const) {
      const file = join(folder, `${name}.onnx`);
      await writeFile(file, Buffer.concat([...(await graph())]));
      const side = await loadSide({ runtime, precision: 'int8', file, threads: 1, peers });
      const theirs = await side.run(work);
      const difference = Math.max(...ours.map((value, i) => Math.abs(value - theirs[i])));
      expect(difference / largest, `${name}: ${difference} of ${largest}`).toBeLessThan(tolerance);
    }
  });

  it('the graph for transformers.js, with segments of both kinds, computes what ours does', async () => {
    const peers = (await installedPeers())!.folder;
    const ort = createRequire(join(peers, 'package.json'))('onnxruntime-node');
    const file = join(folder, 'transformers.onnx');
    await writeFile(file, Buffer.concat([...(await bertOnnx(elementary, config, 'int8', { transformers: true }))]));
    const session = await ort.InferenceSession.create(file);
    const [input_ids, token_type_ids] = [
      tokenIds({ batch: 2, tokens: 9 }),
      [0, 1].map(() => [0, 0, 0, 0, 1, 1, 1, 1, 1]),
    ];
    const int64 = (rows: readonly (readonly number[])[]) =>
      new ort.Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);
    const theirs = await session.run({ input_ids: int64(input_ids), token_type_ids: int64(token_type_ids) });
    const metadata = { config, profile: 'fbgemm-1.5' as const };
    const model = await loadModel(Object.assign(elementary, { metadata }), { engine: { kernels: 'reference' } });
    const ours = await model.logits({ input_ids, token_type_ids }, { head: 'question-answering' });
    for (const output of ['start_logits', 'end_logits'] as const) {
      const largest = Math.max(...ours[output].data.map(Math.abs));
      const difference = Math.max(...ours[output].data.map((value, i) => Math.abs(value - theirs[output].data[i])));
      expect(difference / largest, `${output}: ${difference} of ${largest}`).toBeLessThan(0.02);
    }
  });
});
