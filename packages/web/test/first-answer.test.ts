import { readFileSync } from 'node:fs';
import { answer, loadModel } from '@prune/bert-infer';
import { type FileServer, modelPath, startFileServer } from '@prune/fixtures';
import { openMsgpackStore } from '@prune/msgpack-store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openModel } from '../src/open-model.js';
import { packedMiniQa } from './packed-mini-qa.js';
import { workerInProcess } from './worker-in-process.js';

interface Squad {
  readonly data: {
    readonly paragraphs: { readonly context: string; readonly qas: { readonly question: string }[] }[];
  }[];
}

/** The model as the command packs it, and a question about a text of 150 words. */
let bytes: Uint8Array;
let texts: { readonly question: string; readonly context: string };
let server: FileServer;

beforeAll(async () => {
  bytes = await packedMiniQa('entropy');
  server = await startFileServer([['/mini-qa.prune', { bytes, etag: '"1"' }]]);
  const squad: Squad = JSON.parse(readFileSync(`${modelPath('mini-qa')}/dev-squad.json`, 'utf8'));
  const long = squad.data.flatMap(({ paragraphs }) => paragraphs).find(({ context }) => words(context).length >= 150);
  texts = { question: long!.qas[0].question, context: words(long!.context).slice(0, 150).join(' ') };
});
afterAll(() => server.close());

const words = (text: string) => text.split(' ');
const sent = () => server.log.reduce((sum, entry) => sum + entry.sent, 0);

test('the first answer needs the encoder, a vocabulary and the rows of its text: bytes and requests', async () => {
  const model = await openModel(`${server.origin}/mini-qa.prune`, { worker: workerInProcess });
  // The end of the file, its beginning, what the model needs in three ranges, and the tokenizer.
  expect(server.log.slice(0, 2).map(({ range }) => range)).toEqual(['bytes=-24576', 'bytes=0-47']);
  const opened = server.log.length;
  expect(opened).toBeLessThanOrEqual(8);
  const found = await model.answer(texts);
  // The rows of positions, which lie before those of words, are asked for first; the tokenizer may come before.
  const starts = server.log.slice(opened).map(({ range }) => Number(/\d+/.exec(range!)?.[0]));
  expect(starts.indexOf(Math.min(...starts))).toBeLessThan(2);
  expect(model.info.lazyEmbeddings).toBe(true);
  // 1.32 MB of encoder and directories, 0.11 of vocab.txt, 0.14 of position rows, 0.11 of word rows, the manifest.
  expect(sent()).toBeLessThanOrEqual(1_700_000);
  expect(server.log.length).toBeLessThanOrEqual(100);
  await model.close();
  const store = await openMsgpackStore(bytes);
  const whole = await loadModel(store);
  expect(found).toEqual(await answer(whole, texts));
  await whole.close();
});
