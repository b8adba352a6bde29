import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BertModel } from '@prune/bert-infer';
import { nativeKernels } from '@prune/bert-infer/node';
import { openCheckpoint } from '@prune/checkpoint/node';
import { PruneError, writeStore } from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import { packCheckpoint } from '@prune/model-files';
import { createStore, type OpenModel, openModel } from '@prune/model-files/node';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { withBert } from './load-bert.js';
import { verifyLogits } from './verify-logits.js';

vi.mock(import('@prune/model-files/node'), async (original) => {
  const actual = await original();
  return { ...actual, openModel: vi.fn(actual.openModel) };
});

const TINY = goldenPath('tiny');
/** The matrices that the engine's layers have; the head is not the engine's, and its matrix is read as arrays. */
const LAYER_MATRICES = ['0', '1'].flatMap((layer) =>
  [
    'attention.self.query',
    'attention.self.key',
    'attention.self.value',
    'attention.output.dense',
    'intermediate.dense',
    'output.dense',
  ].map((module) => `bert.encoder.layer.${layer}.${module}`),
);
const HEAD = 'qa_outputs';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-bert-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function packTiny(name: string, exclude: readonly string[]): Promise<string> {
  const path = join(folder, name);
  const checkpoint = await openCheckpoint(TINY);
  const { entries, metadata } = packCheckpoint(checkpoint, { exclude });
  await writeStore(await createStore(path, { codec: 'entropy' }), entries, metadata);
  await checkpoint.close();
  return path;
}

interface Asked {
  /** Modules whose matrix the store handed out row by row. */
  readonly rows: string[];
  /** Modules whose matrix the store handed out as arrays. */
  readonly arrays: string[];
}

/** Notes what the store of the next opened model is asked for. Without `rows` the store has arrays only. */
function watchNextStore(options: { readonly rows: boolean }): Asked {
  const asked: Asked = { rows: [], arrays: [] };
  const moduleOf = (name: string) => name.split('._packed_params.')[0];
  vi.mocked(openModel).mockImplementationOnce(async (path): Promise<OpenModel> => {
    const model = await openModel(path);
    const store = model.store!;
    const rows = async (name: string) => {
      const found = await store.rows?.(name);
      if (found !== undefined) asked.rows.push(moduleOf(name));
      return found;
    };
    const watched = {
      ...store,
      get(name: string) {
        if (name.endsWith('.int_repr.data')) asked.arrays.push(moduleOf(name));
        return store.get(name);
      },
      rows: options.rows ? rows : undefined,
    };
    return { ...model, store: watched };
  });
  return asked;
}

test.each([
  ['whole.prune', [], {}],
  ['without-embeddings.prune', ['embeddings'], { embeddingsFrom: TINY }],
])(
  '%s: matrices under entropy are read row by row, and the logits are those of the arrays',
  async (name, exclude, options) => {
    const path = await packTiny(name, exclude);
    const logits = () =>
      withBert(path, options, (model) =>
        model.logits({
          input_ids: [
            [2, 45, 6, 7, 3],
            [2, 900, 3],
          ],
        }),
      );

    const byRows = watchNextStore({ rows: true });
    const got = await logits();
    expect(byRows).toEqual({ rows: LAYER_MATRICES, arrays: [HEAD] });

    const byArrays = watchNextStore({ rows: false });
    expect(await logits()).toEqual(got);
    expect(byArrays).toEqual({ rows: [], arrays: [...LAYER_MATRICES, HEAD] });
  },
);

describe('native kernels that are installed and do not load', () => {
  let before: string | undefined;
  let path: string;
  beforeAll(async () => {
    before = process.env.PRUNE_KERNELS;
    delete process.env.PRUNE_KERNELS;
    path = await packTiny('fallen.prune', []);
  });
  afterAll(() => {
    if (before !== undefined) process.env.PRUNE_KERNELS = before;
  });
  afterEach(() => vi.restoreAllMocks());

  async function noted(run: () => Promise<unknown>): Promise<string> {
    vi.spyOn(nativeKernels, 'create').mockRejectedValue(
      new PruneError('unsupported', { where: 'kernels', what: 'the native kernels do not load' }),
    );
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await run();
    return write.mock.calls.join('');
  }
  const kernels = async (model: BertModel) => model.info.kernels;

  test('are noted, and others compute', async () => {
    const found: string[] = [];
    const text = await noted(async () => found.push(await withBert(path, {}, kernels)));
    expect(text).toMatch(/^note: Native kernels are not used: kernels: the native kernels do not load\..*\n$/);
    expect(found).toEqual([expect.stringMatching(/^wasm-/)]);
  });

  test('are noted once where two models are compared', async () => {
    expect((await noted(() => verifyLogits(path, path))).match(/note:/g)).toHaveLength(1);
  });

  test('are not noted under --quiet, nor where other kernels are asked for', async () => {
    expect(await noted(() => withBert(path, { quiet: true }, kernels))).toBe('');
    process.env.PRUNE_KERNELS = 'wasm-simd';
    expect(await noted(() => withBert(path, {}, kernels))).toBe('');
    delete process.env.PRUNE_KERNELS;
  });
});
