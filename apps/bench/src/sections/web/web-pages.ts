/** What a page leaves in `globalThis.outcome`. */
export type PageOutcome =
  | { readonly text: string; readonly score: number; readonly seconds: number; readonly longestTask: number }
  | { readonly error: string };

/** The page tells the server with a request for this path that the answer is there. */
export const ANSWERED = '/answered';

// Chromium reports tasks of more than 50 ms. Elsewhere a timer ticks every 4 ms, and the longest time between two ticks
// counts.
const WATCH = `
let longest = 0;
if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
  const note = (list) => { for (const { duration } of list.getEntries()) longest = Math.max(longest, duration); };
  new PerformanceObserver(note).observe({ type: 'longtask', buffered: true });
} else {
  let last = performance.now();
  const tick = () => {
    const time = performance.now();
    longest = Math.max(longest, time - last);
    last = time;
    setTimeout(tick, 4);
  };
  tick();
}
globalThis.report = async (ask) => {
  try {
    const found = await ask();
    const seconds = performance.now() / 1000;
    await fetch('${ANSWERED}', { cache: 'no-store' });
    // Long tasks are reported when the browser has time for it, later than they end.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await new Promise((resolve) => requestIdleCallback(resolve, { timeout: 5000 }));
    globalThis.outcome = { ...found, seconds, longestTask: longest / 1000 };
  } catch (error) {
    globalThis.outcome = { error: String(error) };
  }
};`;

/** Asks `@prune/web` for the answer, as its README says. `whole`: and waits until all of the file has come. */
export function ourPage(
  model: string,
  request: { readonly question: string; readonly context: string },
  until: 'answer' | 'whole' = 'answer',
): string {
  const options =
    until === 'answer'
      ? '{}'
      : "{ prefetch: true, onProgress: ({ of, done, total }) => of === 'bytes' && done === total && isWhole() }";
  return watchedPage(`
import { openModel } from './plain.js';
report(async () => {
  let isWhole;
  const whole = new Promise((resolve) => { isWhole = resolve; });
  const model = await openModel(${JSON.stringify(model)}, ${options});
  const { text, score } = await model.answer(${JSON.stringify(request)});
  ${until === 'answer' ? '' : 'await whole;'}
  return { text, score };
});`);
}

/** Asks transformers.js for the answer, with nothing from another host. */
export function peerPage(request: { readonly question: string; readonly context: string }): string {
  const { question, context } = request;
  return watchedPage(`
import { env, pipeline } from './transformers.min.js';
env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = '/peer/models/';
env.backends.onnx.wasm.wasmPaths = '/peer/';
report(async () => {
  const ask = await pipeline('question-answering', 'model', { dtype: 'q8', device: 'wasm' });
  const { answer, score } = await ask(${JSON.stringify(question)}, ${JSON.stringify(context)});
  return { text: answer, score };
});`);
}

/** A page that runs a module script, which calls `report` with what it does to answer. */
export function watchedPage(script: string): string {
  const head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">';
  return `${head}<script>${WATCH}</script><script type="module">${script.replaceAll('</', '<\\/')}</script>`;
}
