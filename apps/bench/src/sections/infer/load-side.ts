import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadModel } from '@prune/bert-infer';
import { nodeEngine, wideKernels } from '@prune/bert-infer/node';
import { openStore } from '@prune/model-files/node';
import type { NodeSpec, PeerSpec, PruneSpec, Work } from './side.js';
import { tokenIds } from './token-ids.js';

/** A runtime with its model, ready to run. */
export interface LoadedSide {
  /** Which kernels it chose; ours only. */
  readonly kernels?: string;
  /** One forward pass with the question answering head: start logits, then end logits, each `[batch * tokens]`. */
  run(work: Work): Promise<Float32Array>;
}

/** Loads what a spec says. */
export async function loadSide(spec: NodeSpec): Promise<LoadedSide> {
  return spec.runtime === 'prune' ? loadPrune(spec) : loadPeer(spec);
}

async function loadPrune({ file, threads, kernels, attention, profile }: PruneSpec): Promise<LoadedSide> {
  const store = await openStore(file);
  const engine = nodeEngine({ kernels: kernels === 'wasm-wide' ? wideKernels() : kernels, threads });
  const model = await loadModel(store, { engine, attention, profile });
  await store.close();
  return {
    kernels: model.info.kernels,
    async run(work) {
      const { start_logits, end_logits } = await model.logits(
        { input_ids: tokenIds(work) },
        { head: 'question-answering' },
      );
      return joined(start_logits.data, end_logits.data);
    },
  };
}

/** As much of onnxruntime-common's types as is used. */
interface Ort {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly InferenceSession: { create(path: string, options: object): Promise<OrtSession> };
  readonly Tensor: new (type: string, data: Int32Array, dims: readonly number[]) => unknown;
}
interface OrtSession {
  run(feeds: Record<string, unknown>): Promise<{ readonly logits: { readonly data: Float32Array } }>;
}

async function loadPeer({ runtime, file, threads, peers }: PeerSpec): Promise<LoadedSide> {
  const ort: Ort = createRequire(join(peers, 'package.json'))(runtime);
  if (runtime === 'onnxruntime-web') ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(file, {
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    executionProviders: [runtime === 'onnxruntime-web' ? 'wasm' : 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  return {
    async run(work) {
      const { batch, tokens } = work;
      const ids = new ort.Tensor('int32', Int32Array.from(tokenIds(work).flat()), [batch, tokens]);
      const segments = new ort.Tensor('int32', new Int32Array(batch * tokens), [batch, tokens]);
      const { data } = (await session.run({ input_ids: ids, segment_ids: segments })).logits;
      return joined(
        data.filter((_, i) => i % 2 === 0),
        data.filter((_, i) => i % 2 === 1),
      );
    },
  };
}

function joined(start: ArrayLike<number>, end: ArrayLike<number>): Float32Array {
  const all = new Float32Array(start.length + end.length);
  all.set(start);
  all.set(end, start.length);
  return all;
}
