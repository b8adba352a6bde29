import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Elementary, elementCount, entriesOf, isPruneError, parseJson, type Tensor } from '@prune/core';
import { casePath, goldenPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { codesOfKeys, makeBertOnnx } from '../test/make-onnx.js';
import {
  bool,
  dict,
  integer,
  none,
  ORDERED_DICT,
  pickle,
  type Storage,
  tensor,
  text,
  tuple,
} from '../test/make-pickle.js';
import { makeSafetensors } from '../test/make-safetensors.js';
import { makeTorchStream, makeTorchZip } from '../test/make-torch-file.js';
import { nameStaged } from './name-staged.js';
import { openSharded } from './open-sharded.js';
import { openStagedFile } from './open-staged-file.js';

const MUTANTS = 1000 * Math.max(1, Number(process.env.PRUNE_FUZZ ?? 1));
// What a mutant may take: the slowest of them takes 40 ms here; a hang takes for ever.
const SLOWEST_MS = 5000;

/** mulberry32: the same mutants everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const INTERESTING = [0, 1, 0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x39, 0x5b, 0x7b, 0x7d, 0x7f, 0x80, 0xfe, 0xff];
// The opcodes that move the stack, the memo and the marks, so that mutants go wrong deeper than at the next byte.
const OPCODES = [
  0x28, 0x29, 0x30, 0x31, 0x32, 0x51, 0x52, 0x5d, 0x61, 0x62, 0x65, 0x68, 0x71, 0x73, 0x74, 0x75, 0x7d, 0x85, 0x86,
  0x87, 0x8a, 0x93, 0x94,
];

/** One to four changes within `[from, to)`, where the structure is; one in eight mutants is cut or has a piece taken out or doubled. */
function mutate(
  file: Uint8Array,
  [from, to]: readonly [number, number],
  random: (below: number) => number,
): Uint8Array {
  const at = () => from + random(to - from);
  if (random(8) === 0) {
    const [a, b] = [at(), Math.min(to, at() + random(64))];
    if (random(3) === 0) return file.slice(0, a);
    const [head, tail] =
      a < b || random(2) === 0 ? [file.subarray(0, a), file.subarray(b)] : [file.subarray(0, b), file.subarray(a)];
    return Uint8Array.from([...head, ...tail]);
  }
  const mutant = file.slice();
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const i = at();
    const kind = random(5);
    if (kind === 0) mutant[i] ^= 1 << random(8);
    else if (kind === 1) mutant[i] = random(256);
    else if (kind === 2) mutant[i] = INTERESTING[random(INTERESTING.length)];
    else if (kind === 3) mutant[i] = OPCODES[random(OPCODES.length)];
    else mutant.copyWithin(i, at(), Math.min(to, i + 1 + random(8)));
  }
  return mutant;
}

const CONFIG = { model_type: 'bert', architectures: ['BertForQuestionAnswering'] };

/**
 * Opens, names and reads everything: the number of tensors, or the code of the PruneError. Anything else that is thrown
 * comes out.
 */
async function readAll(file: Uint8Array, stateDict?: string): Promise<string> {
  try {
    const checkpoint = nameStaged(await openStagedFile(file, { stateDict }), CONFIG, stateDict);
    if (checkpoint.stage === 'quantized') {
      for await (const [name, entry] of entriesOf(checkpoint.quantized)) {
        if (!('kind' in entry)) checkWhole(name, entry);
        else if (entry.kind === 'linear') checkCodes(name, entry.weight.intRepr, entry.weight.shape);
        else checkCodes(name, entry.intRepr, entry.shape);
      }
    } else {
      const tensors = checkpoint.stage === 'float' ? checkpoint.tensors : checkpoint.elementary;
      for await (const [name, value] of entriesOf<Elementary>(tensors)) {
        if (typeof value !== 'string') checkWhole(name, value);
      }
    }
    return 'read';
  } catch (error) {
    if (isPruneError(error)) return error.code;
    throw error;
  }
}

function checkWhole(name: string, value: Tensor) {
  if (value.data.length !== elementCount(value)) throw new Error(`no whole tensor "${name}"`);
}

function checkCodes(name: string, { length }: Int8Array | Uint8Array, [rows, columns]: readonly [number, number]) {
  if (length !== rows * columns) throw new Error(`no whole matrix "${name}"`);
}

const F: Storage = { key: '0', type: 'FloatStorage', elements: 6 };
const root = (of: Storage) =>
  dict(
    ...[text('a.weight'), tensor(of, { size: [3, 2], stride: [1, 3] })],
    ...[text('a.bias'), tensor({ ...of, key: '1', elements: 2 }, { size: [2], stride: [1] })],
    ...[text('tied'), tensor(of, { offset: 2, size: [4], stride: [1] })],
  );
const storages = { 0: new Uint8Array(24), 1: new Uint8Array(8) };
const small = makeSafetensors(
  {
    __metadata__: { format: 'pt' },
    'a.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    'a.bias': { dtype: 'BF16', shape: [2], data_offsets: [24, 28] },
    empty: { dtype: 'I64', shape: [0], data_offsets: [28, 28] },
  },
  new Uint8Array(28),
);
const stream = makeTorchStream(root({ ...F, view: none }), {
  0: { bytes: storages[0], elements: 6 },
  1: { bytes: storages[1], elements: 2 },
});

/** Masks of torch.nn.utils.prune, and a prefix. */
const masked = makeSafetensors(
  {
    'm.bert.pooler.dense.weight_orig': { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    'm.bert.pooler.dense.weight_mask': { dtype: 'F32', shape: [2], data_offsets: [8, 16] },
    'm.bert.pooler.dense.bias': { dtype: 'F16', shape: [2], data_offsets: [16, 20] },
  },
  new Uint8Array(20),
);

type Seed = [file: Uint8Array, structure: readonly [number, number], stateDict?: string];

function whole(file: Uint8Array): [Uint8Array, readonly [number, number]] {
  return [file, [0, file.length]];
}
function golden(name: string, from: number, to: number): [Uint8Array, readonly [number, number]] {
  const file = new Uint8Array(readFileSync(goldenPath(name)));
  return [file, [from < 0 ? file.length + from : from, to <= 0 ? file.length + to : to]];
}

function wrapped(name: string, from: number, to: number, stateDict?: string): Seed {
  return [new Uint8Array(readFileSync(join(casePath('wrapped'), name))), [from, to], stateDict];
}

const SEEDS: Record<string, Seed> = {
  safetensors: whole(small),
  'zip, stored': whole(makeTorchZip(root(F), storages)),
  'zip, deflated': whole(makeTorchZip(root(F), storages, { deflate: true })),
  'zip, 64-bit': whole(makeTorchZip(root(F), storages, { wide: true, wideEnd: true })),
  'older stream': whole(stream),
  'narrow/model.safetensors: header': golden('narrow/model.safetensors', 0, 5000),
  'narrow/pytorch_model.bin: pickle': golden('narrow/pytorch_model.bin', 0, 4000),
  'narrow/pytorch_model.bin: directory': golden('narrow/pytorch_model.bin', -5000, 0),
  'narrow/pytorch_model_legacy.bin: pickles': golden('narrow/pytorch_model_legacy.bin', 0, 7500),
  'quantized/per_channel.bin: pickle': golden('quantized/per_channel.bin', 0, 4000),
  'quantized/embeddings.bin: pickle': golden('quantized/embeddings.bin', 0, 3000),
  'wrapped/lightning.ckpt: pickle': wrapped('lightning.ckpt', 0, 7000),
  'wrapped/two_models.bin: pickle': wrapped('two_models.bin', 0, 7000, 'ema.module'),
  'wrapped/wrapped_quantized.bin: pickle': wrapped('wrapped_quantized.bin', 0, 6000),
  'wrapped/elementary_proto5.pt: pickle': wrapped('elementary_proto5.pt', 0, 5000),
  'safetensors with masks': whole(masked),
  'quantized/torch14.bin: pickles': golden('quantized/torch14.bin', 0, 6000),
  'quantized/elementary.pt: pickle': golden('quantized/elementary.pt', 0, 6000),
  'onnx, floats': whole(makeBertOnnx({ holders: { words: 'typed', cut: 'typed' } }).file),
  'onnx, codes': whole(makeBertOnnx(codesOfKeys('int8', 5, 0)).file),
  'quantized/elementary_proto4.pt: pickle': golden('quantized/elementary_proto4.pt', 0, 6000),
};

test.each(Object.entries(SEEDS))(
  'mutants of %s: a value or a PruneError, and soon',
  async (name, [file, structure, stateDict]) => {
    expect(await readAll(file, stateDict)).toBe('read');
    // A golden file has hundreds of tensors and a graph has many nodes: fewer mutants of them keep the run short.
    const mutants = file.length > 10_000 ? MUTANTS / 4 : (name.startsWith('onnx') ? 0.5 : 1.5) * MUTANTS;
    const outcomes: Record<string, number> = {};
    for (let seed = 0; seed < mutants; seed++) {
      const mutant = mutate(file, structure, randomFrom(seed));
      const start = performance.now();
      const outcome = await readAll(mutant, stateDict).catch((cause) => {
        throw new Error(`mutant ${seed} of ${name}`, { cause });
      });
      expect(performance.now() - start, `mutant ${seed} of ${name}`).toBeLessThan(SLOWEST_MS);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    // Mutants that all fail, or all pass, test nothing behind the first check.
    expect(Object.keys(outcomes).length, JSON.stringify(outcomes)).toBeGreaterThan(2);
  },
);

test('mutants of an index: shards or a PruneError', async () => {
  const index = new TextEncoder().encode(
    '{"metadata":{"total_size":28},"weight_map":{"a.weight":"s-1.safetensors","a.bias":"s-2.bin"}}',
  );
  const outcomes: Record<string, number> = {};
  for (let seed = 0; seed < MUTANTS; seed++) {
    const mutant = mutate(index, [0, index.length], randomFrom(seed));
    const outcome = await openSharded({ ...parse(mutant) }, async () => small)
      .then(() => 'read')
      .catch((error) => {
        if (!isPruneError(error)) throw new Error(`mutant ${seed}`, { cause: error });
        return error.code;
      });
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  expect(Object.keys(outcomes).length, JSON.stringify(outcomes)).toBeGreaterThan(2);
});

/** The index, or an empty object for a PruneError of the parser. */
function parse(bytes: Uint8Array): object {
  try {
    return parseJson(bytes, 'index.json');
  } catch (error) {
    if (!isPruneError(error)) throw error;
    return {};
  }
}

test('random pickles, valid opcode by opcode', async () => {
  const random = randomFrom(1);
  const values = [
    none,
    bool(true),
    integer(3),
    text('a'),
    tuple(integer(1)),
    ORDERED_DICT,
    dict(),
    tensor(F, { size: [6], stride: [1] }),
  ];
  const outcomes = new Set<string>();
  for (let i = 0; i < MUTANTS; i++) {
    const body: number[] = [];
    for (let n = random(30); n > 0; n--) {
      body.push(...(random(3) === 0 ? [OPCODES[random(OPCODES.length)]] : values[random(values.length)]));
    }
    outcomes.add(
      await readAll(makeTorchZip([...dict(text('x'), tensor(F, { size: [6], stride: [1] })), ...body], storages)),
    );
    outcomes.add(await readAll(pickle(body)));
  }
  expect(outcomes.size).toBeGreaterThan(2);
});
