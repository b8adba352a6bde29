/** What every program and every example asks. */
export const TEXTS = {
  question: 'What became popular during the 1920s?',
  context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
};

/** What every program of the check does with an open store: one answer and one embedding. */
const USE = `
  const model = await loadModel(store);
  const { text } = await answer(model, ${JSON.stringify(TEXTS)});
  const vector = await embed(model, 'A sentence.');
  const result = JSON.stringify({ text, length: vector.length });
  await model.close();`;

const RESULT = '{"text":"Garden apartments","length":384}';

/** For Node, Bun and Deno, with `mini-qa.prune` in the same folder. */
export const APP = `import { answer, embed, loadModel } from '@prune/bert-infer';
import { openMsgpackFile } from '@prune/msgpack-store/node';

const store = await openMsgpackFile('mini-qa.prune');
${USE}
await store.close();
console.log(result);
`;

export const REQUIRING_APP = `const { answer, embed, loadModel } = require('@prune/bert-infer');
const { openMsgpackFile } = require('@prune/msgpack-store/node');

(async () => {
  const store = await openMsgpackFile('mini-qa.prune');
  ${USE}
  await store.close();
  console.log(result);
})();
`;

/** For Node, with `mini-qa.prune` in the same folder: which kernels gave the answer, and why not the native ones. */
export const NATIVE_APP = `import { answer, loadModel } from '@prune/bert-infer';
import { nodeEngine } from '@prune/bert-infer/node';
import { openMsgpackFile } from '@prune/msgpack-store/node';

const store = await openMsgpackFile('mini-qa.prune');
const model = await loadModel(store, { engine: nodeEngine({ threads: 2 }) });
const { text } = await answer(model, ${JSON.stringify(TEXTS)});
const { kernels, kernelsNote } = model.info;
await model.close();
await store.close();
console.log(JSON.stringify({ text, kernels, kernelsNote }));
`;

/** For a page, with `mini-qa.prune` beside it. */
const PAGE = `import { answer, embed, loadModel } from '@prune/bert-infer';
import { openMsgpackStore } from '@prune/msgpack-store';

const response = await fetch('mini-qa.prune');
const store = await openMsgpackStore(new Uint8Array(await response.arrayBuffer()));
${USE}
document.body.append(result);
`;

/** The files of a project that makes a page without a worker. */
export const PAGE_FILES = {
  'page.js': PAGE,
  'index.html': '<!doctype html><title>mini-qa</title><body><script type="module" src="./page.js"></script>',
};

/** Prints what Node answers to the question and context in its arguments, as JSON. */
export const ANSWER = `import { answer, loadModel } from '@prune/bert-infer';
import { openMsgpackFile } from '@prune/msgpack-store/node';

const [path, question, context] = process.argv.slice(1);
const store = await openMsgpackFile(path);
const model = await loadModel(store);
const { text, score } = await answer(model, { question, context });
console.log(JSON.stringify({ text, score }));
await model.close();
await store.close();
`;

/** Throws unless NATIVE_APP computed with the native kernels, or without them for want of `missing`. */
export function checkNative(printed, missing) {
  const { text, kernels, kernelsNote = '' } = JSON.parse(printed);
  const right =
    missing === undefined
      ? kernels.startsWith('native-') && kernelsNote === ''
      : kernels.startsWith('wasm-') && kernelsNote.includes(`${missing} is not installed`);
  if (!right || text !== JSON.parse(RESULT).text) throw new Error(`native kernels: the program gave ${printed.trim()}`);
}

/** Throws unless a program printed, or a page shows, what it should. */
export function checkResult(printed, expected = RESULT) {
  if (printed.trim() !== expected) throw new Error(`the program gave ${printed.trim()} instead of ${expected}`);
}
