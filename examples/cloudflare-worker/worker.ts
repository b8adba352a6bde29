import { answer, type BertModel, loadModel } from '@prune/bert-infer';
import relaxed from '@prune/kernels/wasm/relaxed.wasm';
import simd from '@prune/kernels/wasm/simd.wasm';
import { openMsgpackStore } from '@prune/msgpack-store';

interface Env {
  MODELS: { get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null> };
}

// Kept for later requests once it is there. A promise would not do: it settles only while its own request lasts.
let model: BertModel | undefined;

async function load({ MODELS }: Env): Promise<BertModel> {
  const object = await MODELS.get('mini-qa.prune');
  if (object === null) throw new Error('the bucket has no mini-qa.prune');
  const store = await openMsgpackStore(new Uint8Array(await object.arrayBuffer()));
  return loadModel(store, { engine: { modules: { 'wasm-relaxed': relaxed, 'wasm-simd': simd } } });
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { question, context } = (await request.json()) as { question: string; context: string };
    model ??= await load(env);
    const { text, score } = await answer(model, { question, context });
    return Response.json({ text, score });
  },
};
