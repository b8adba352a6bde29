// A runtime in a process of its own: forked with its NodeSpec as an argument, asked over IPC, paused by its parent while others run.
import { loadSide } from '../sections/infer/load-side.js';
import type { NodeSpec, Request, Response } from '../sections/infer/side.js';

const spec: NodeSpec = JSON.parse(process.argv[2]);
const answer = (response: Response) => process.send!(response);

try {
  const start = performance.now();
  const side = await loadSide(spec);
  answer({ ready: { loadSeconds: (performance.now() - start) / 1000, kernels: side.kernels } });
  process.on('message', async (request: Request) => {
    try {
      if (request.ask === 'logits') answer({ logits: [...(await side.run(request.work))] });
      else {
        // What was paused has cold caches: one run does not count.
        await side.run(request.work);
        const seconds: number[] = [];
        for (let i = 0; i < request.runs; i++) {
          const before = performance.now();
          await side.run(request.work);
          seconds.push((performance.now() - before) / 1000);
        }
        answer({ seconds });
      }
    } catch (error) {
      answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
} catch (error) {
  answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
