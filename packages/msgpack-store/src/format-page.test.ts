import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, type Elementary, entriesOf, memorySink, tensor, writeStore } from '@prune/core';
import { goldenPath, readNpz, SKIP_CONDITIONS, testPython, versionOnePath } from '@prune/fixtures';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleModels } from './bundle-models.js';
import { codecList, MSGPACK_CODEC_NAMES } from './codecs/codec-list.js';
import { createMsgpackFile } from './node/create-msgpack-file.js';
import { openMsgpackFile } from './node/open-msgpack-file.js';

const page = readFileSync(new URL('../FORMAT.md', import.meta.url), 'utf8');
const reader = [...page.matchAll(/```python\n([\s\S]*?)```/g)].map(([, code]) => code).join('\n');

/** Every tensor as its dtype, shape and bytes, every string as itself: a line each, so that nothing of NumPy's printing is compared. */
const PRINT = `
tensors, model = read_prune(*sys.argv[1:])
for name, t in tensors.items():
    print(name, repr(t) if isinstance(t, str) else f"{list(t.shape)} {t.tobytes().hex()}")
print(sorted(k for k in model if k != "entries"))
for name, data in read_files(*sys.argv[1:]).items(): print(name, zlib.crc32(data))
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-format-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function lineOf([name, value]: [string, Elementary]): string {
  if (typeof value === 'string') return `${name} '${value}'`;
  const bytes = Buffer.from(value.data.buffer, value.data.byteOffset, value.data.byteLength);
  return `${name} [${value.shape.join(', ')}] ${bytes.toString('hex')}`;
}

/** The parts of a quantized table of 90 rows and 10 columns, codes up to `most`. */
function tableOf(name: string, most: number, scaleOf: (row: number) => number): [string, Elementary][] {
  const part = `${name}._packed_params._packed_weight`;
  const rows = Array.from({ length: 90 }, (_, row) => row);
  const codes = Uint8Array.from({ length: 900 }, (_, i) => ((i * 7) % 23) % (most + 1));
  return [
    [`${part}.scale`, tensor('float32', [90], Float32Array.from(rows, scaleOf))],
    [
      `${part}.zero_point`,
      tensor(
        'float32',
        [90],
        Float32Array.from(rows, (row) => row % 16),
      ),
    ],
    [`${part}.int_repr`, tensor('uint8', [90, 10], codes)],
  ];
}

const tokens = [
  '[PAD]',
  'the',
  '##é',
  '龍',
  'a"b\\c',
  '\t\u0001',
  '\u007f',
  ...Array.from({ length: 50 }, (_, i) => `${i}`),
];
const vocabulary = new TextEncoder().encode(tokens.map((token) => `${token}\n`).join(''));
const tokenizer = new TextEncoder().encode(
  `{"model": {"vocab": {\n${tokens.map((token, id) => `  ${JSON.stringify(token)}: ${id}`).join(',\n')}\n}}}`,
);

test('the page has the reader', () => {
  expect(reader).toContain('def read_prune(path, name=None):');
});

// The codec `entropy` has a specification of its own.
const CODECS = MSGPACK_CODEC_NAMES.filter((name) => name !== 'entropy');

test.skipIf(SKIP_CONDITIONS['no-python-msgpack']()).each(CODECS)(
  "FORMAT.md's reader in Python reads every tensor, codec %s",
  async (codec) => {
    const script = join(folder, 'reader.py');
    writeFileSync(script, reader + PRINT);
    const odd = new Map<string, Elementary>([
      ['empty.data', tensor('int8', [0], new Int8Array(0))],
      ['empty.indices', tensor('uint16', [0], new Uint16Array(0))],
      ['empty.indptr', tensor('int32', [4], new Int32Array(4))],
      ['gaps.data', tensor('int8', [4], Int8Array.of(1, -2, 3, -128))],
      ['gaps.indices', tensor('uint16', [4], Uint16Array.of(254, 255, 511, 0))],
      ['gaps.indptr', tensor('int32', [4], Int32Array.of(0, 0, 3, 4))],
      ...tableOf('table8', 255, (row) => (row % 3 === 0 ? 1 / 64 : (1 + row) / 640)),
      ...tableOf('table4', 15, (row) => (1 + row) / 16),
      [
        'grid',
        tensor(
          'float32',
          [130, 8],
          Float32Array.from({ length: 1040 }, (_, i) => ((i * 37) % 64) / 32 - 1),
        ),
      ],
      [
        'halves',
        tensor(
          'float16',
          [70, 9],
          Uint16Array.from({ length: 630 }, (_, i) => 15000 + ((i * 7919) % 1000)),
        ),
      ],
      [
        'half',
        tensor(
          'bfloat16',
          [300],
          Uint16Array.from({ length: 300 }, (_, i) => i * 99),
        ),
      ],
      ['none', tensor('float32', [0, 3], new Float32Array(0))],
      [
        'long',
        tensor(
          'int64',
          [40],
          BigInt64Array.from({ length: 40 }, (_, i) => -(3n ** BigInt(i))),
        ),
      ],
    ]);
    for (const entries of [new Map<string, Elementary>(), odd, readNpz(goldenPath('narrow/elementary.npz'))]) {
      const path = join(folder, 'model.prune');
      const files = new Map([
        ['tokenizer.json', tokenizer],
        ['vocab.txt', vocabulary],
      ]);
      await writeStore(await createMsgpackFile(path, { codecs: codecList(codec), force: true }), entries, {
        config: { a: 1 },
        files,
      });
      const lines = execFileSync(testPython(), [script, path], { encoding: 'utf8', maxBuffer: 2 ** 28 }).split('\n');
      const { metadata } = await openMsgpackFile(path);
      expect(await metadata.files?.get('tokenizer.json')).toEqual(tokenizer);
      const sums = [`vocab.txt ${crc32(vocabulary)}`, `tokenizer.json ${crc32(tokenizer)}`];
      expect(lines).toEqual([...[...entries].map(lineOf), "['config', 'files']", ...sums, '']);
    }
  },
);

/** The lines that the reader in Python prints of a file. */
function printed(...args: string[]): string[] {
  const script = join(folder, 'reader.py');
  writeFileSync(script, reader + PRINT);
  return execFileSync(testPython(), [script, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 }).split('\n');
}

test.skipIf(SKIP_CONDITIONS['no-python-msgpack']())(
  "FORMAT.md's reader in Python reads version 1, bundles and bases",
  async () => {
    const old = await openMsgpackFile(versionOnePath('csr-gzip'));
    const wanted: string[] = [];
    for await (const entry of entriesOf(old)) wanted.push(lineOf(entry));
    const files = await Promise.all(
      [...old.metadata.files!.keys()].map(async (name) => `${name} ${crc32((await old.metadata.files!.get(name))!)}`),
    );
    wanted.push("['config', 'files', 'modules', 'profile', 'sentence']", ...files, '');
    expect(printed(versionOnePath('csr-gzip'))).toEqual(wanted);
    const source = readFileSync(versionOnePath('csr-gzip'));
    const based = memorySink();
    const base = memorySink();
    await bundleModels(base, [{ source }]);
    writeFileSync(join(folder, 'base.prune'), base.bytes());
    const models = ['a', 'b'].map((name) => ({ source, name }));
    await bundleModels(based, models, { bases: [{ name: 'base.prune', source: base.bytes() }] });
    writeFileSync(join(folder, 'based.prune'), based.bytes());
    const named = wanted.map((line) => line.replace("'modules', 'profile'", "'modules', 'name', 'profile'"));
    expect(printed(join(folder, 'based.prune'), 'b')).toEqual(named);
  },
);
