/** What every program of the check does with an open store: one answer and one embedding. */
const USE = `
  const model = await loadModel(store);
  const { text } = await answer(model, {
    question: 'What became popular during the 1920s?',
    context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
  });
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

/** For a page, with `mini-qa.prune` beside it. */
const PAGE = `import { answer, embed, loadModel } from '@prune/bert-infer';
import { openMsgpackStore } from '@prune/msgpack-store';

export async function run() {
  const response = await fetch('mini-qa.prune');
  const store = await openMsgpackStore(new Uint8Array(await response.arrayBuffer()));
  ${USE}
  globalThis.result = result;
}
`;

const HTML = '<!doctype html><title>mini-qa</title><script type="module" src="./page.js"></script>';

/** The files of a project that makes a page: for Next.js, and for every other bundler. */
export const PAGES = {
  plain: { 'page.js': `${PAGE}\nrun();\n`, 'index.html': HTML },
  next: {
    'page.js': PAGE,
    'app/page.jsx': `'use client';
import { useEffect } from 'react';
import { run } from '../page.js';

export default function Page() {
  useEffect(() => void run(), []);
  return <p>mini-qa</p>;
}
`,
    'app/layout.jsx': `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
`,
    'next.config.mjs': "export default { output: 'export' };\n",
  },
};

/** Throws unless a program printed what it should. */
export function checkResult(printed) {
  if (printed.trim() !== RESULT) throw new Error(`the program gave ${printed.trim()} instead of ${RESULT}`);
}
