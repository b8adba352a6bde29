import { answer, type BertModel, loadModel } from '@prune/bert-infer';
import relaxed from '@prune/kernels/wasm/relaxed.wasm';
import simd from '@prune/kernels/wasm/simd.wasm';
import { openMsgpackStore } from '@prune/msgpack-store';

interface Env {
  MODELS: { get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null> };
}

let loading: Promise<BertModel> | undefined;

async function load({ MODELS }: Env): Promise<BertModel> {
  const object = await MODELS.get('mini-qa.prune');
  if (object === null) throw new Error('the bucket has no mini-qa.prune');
  const store = await openMsgpackStore(new Uint8Array(await object.arrayBuffer()));
  return loadModel(store, { engine: { modules: { 'wasm-relaxed': relaxed, 'wasm-simd': simd } } });
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    loading ??= load(env).catch((error) => {
      // The next request tries again.
      loading = undefined;
      throw error;
    });
    const { question, context } = (await request.json()) as { question: string; context: string };
    const { text, score } = await answer(await loading, { question, context });
    return Response.json({ text, score });
  },
};
