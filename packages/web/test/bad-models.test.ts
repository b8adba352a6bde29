import { loadModel } from '@prune/bert-infer';
import { type FileServer, startFileServer } from '@prune/fixtures';
import { openMsgpackStore } from '@prune/msgpack-store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpSource } from '../src/http-source.js';
import { openModel } from '../src/open-model.js';
import { packedMiniQa } from './packed-mini-qa.js';
import { workerInProcess } from './worker-in-process.js';

// Files of a server that are damaged or are not those that were meant, from the URL to the answer.

const TEXTS = { question: 'Who sat?', context: 'The cat sat on the mat.' };

let server: FileServer;
let bytes: Uint8Array;
const where = () => expect.stringContaining(`${server.origin}/model.prune`);

beforeAll(async () => {
  bytes = await packedMiniQa();
  server = await startFileServer([]);
});
afterAll(() => server.close());

function serve(file: Uint8Array): string {
  server.files.set('/model.prune', { bytes: file });
  return `${server.origin}/model.prune`;
}

/** A copy with other bytes in a range. */
function damaged(file: Uint8Array, start: number, end: number): Uint8Array {
  const copy = file.slice();
  for (let at = start; at < end; at++) copy[at] ^= 0x55;
  return copy;
}

async function ask(url: string): Promise<string> {
  const model = await openModel(url, { worker: workerInProcess });
  try {
    return (await model.answer(TEXTS)).text;
  } finally {
    await model.close();
  }
}

test.each([
  'bert.encoder.layer.0.attention.self.query._packed_params.weight.int_repr.data',
  'bert.encoder.layer.1.output.LayerNorm.bias',
])('a damaged block: corrupt, with the URL and the tensor: %s', async (name) => {
  const store = await openMsgpackStore(bytes);
  const { data } = (await store.get(name)) as { data: Uint8Array };
  const at = Buffer.from(bytes).indexOf(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  await store.close();
  expect(at).toBeGreaterThan(0);
  const url = serve(damaged(bytes, at + 3, at + 4));
  await expect(ask(url)).rejects.toMatchObject({ code: 'corrupt', where: where(), tensor: expect.any(String) });
});

test('damaged rows of a table that is read by rows: corrupt, with the URL and the table', async () => {
  const file = await packedMiniQa('rows');
  const inputs = { input_ids: [[101, 5000, 102]] };
  const open = async () => {
    const store = await openMsgpackStore(await httpSource(serve(file), { gapBytes: 0, keepBytes: 0 }));
    return { store, model: await loadModel(store, { lazyEmbeddings: true }) };
  };
  const whole = await open();
  server.log.length = 0;
  await whole.model.hiddenStates(inputs);
  const ranges = server.log.map(({ range }) => /(\d+)-(\d+)/.exec(range!)!.slice(1).map(Number));
  expect(ranges.length).toBeGreaterThan(0);
  await whole.model.close();

  const { store, model } = await open();
  server.files.set('/model.prune', {
    bytes: ranges.reduce((copy, [start, end]) => damaged(copy, start, end + 1), file),
  });
  const error = { code: 'corrupt', where: where(), tensor: expect.stringContaining('embeddings') };
  await expect(model.hiddenStates(inputs)).rejects.toMatchObject(error);
  await model.close();
  await store.close();
});

test('another manifest than integrity says: mismatch, with the URL', async () => {
  const { integrity } = await openMsgpackStore(bytes);
  const url = serve(bytes);
  expect((await openMsgpackStore(await httpSource(url), { integrity })).integrity).toBe(integrity);
  const other = `sha256-${'A'.repeat(43)}=`;
  await expect(openMsgpackStore(await httpSource(url), { integrity: other })).rejects.toMatchObject({
    code: 'mismatch',
    where: where(),
    got: integrity,
    wanted: other,
  });
});
