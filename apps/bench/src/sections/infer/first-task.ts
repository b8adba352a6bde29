import { loadSide } from './load-side.js';
import type { NodeSpec } from './side.js';

/** From the file to the first logits of 128 tokens, seconds; what is imported before is not counted. */
export async function firstTask(argument: string): Promise<{ readonly seconds: number }> {
  const spec: NodeSpec = JSON.parse(argument);
  const start = performance.now();
  const side = await loadSide(spec);
  await side.run({ batch: 1, tokens: 128 });
  return { seconds: (performance.now() - start) / 1000 };
}
