import {
  type Codec,
  type ElementaryEntries,
  type ElementaryStateDict,
  entriesOf,
  memorySink,
  writeStore,
} from '@prune/core';
import { recomposeRows } from '@prune/csr';
import { goldenPath, readNpz } from '@prune/fixtures';
import { codecList, createMsgpackStore, openMsgpackStore } from '@prune/msgpack-store';
import { entropyCodec } from '@prune/sparse-codec';
import { describe, expect, test } from 'vitest';
import { packLinear } from '../src/wasm/pack-linear.js';
import { PACK_MODES } from './pack-modes.js';

async function stored(entries: ElementaryEntries, codecs: readonly Codec[]) {
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs }), entries, {});
  return openMsgpackStore(sink.bytes(), { codecs });
}

/** What inference reads from a file, packed for the kernels, by module; and how many matrices had no arrays. */
async function streamsOf(store: ElementaryStateDict) {
  const streams = new Map<string, Uint8Array>();
  let rows = 0;
  for await (const [name, entry] of entriesOf(recomposeRows(store))) {
    if (!('kind' in entry) || entry.kind !== 'linear') continue;
    if ('forEachRow' in entry.weight) rows++;
    for (const mode of PACK_MODES) {
      const { stream, starts } = packLinear(entry, mode);
      streams.set(`${name} ${JSON.stringify(mode)}`, Uint8Array.from([...stream, ...new Uint8Array(starts.buffer)]));
    }
  }
  return { streams, rows };
}

describe('weight streams of the kernels, from a file whose matrices are read row by row and from arrays in memory', async () => {
  const models = new Map<string, ElementaryStateDict>();
  for (const name of ['tiny', 'narrow']) models.set(name, readNpz(goldenPath(`${name}/elementary.npz`)));
  test.each([...models.keys()])('%s', async (name) => {
    const model = models.get(name)!;
    const wanted = await streamsOf(model);
    expect(wanted.rows).toBe(0);
    expect(wanted.streams.size).toBeGreaterThan(4);
    for (const [codecs, all] of [
      [[entropyCodec({ preset: 'fast' }), ...codecList('csr-gzip')], true],
      [[entropyCodec({ preset: 'max' }), ...codecList('csr-gzip')], true],
      [codecList('csr-gzip'), false],
      [codecList('gzip'), false],
    ] as const) {
      const { streams, rows } = await streamsOf(await stored(entriesOf(model), codecs));
      expect(streams).toEqual(wanted.streams);
      expect(rows).toBe(all ? wanted.streams.size / PACK_MODES.length : 0);
    }
  });
});
