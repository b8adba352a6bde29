import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@prune/checkpoint';
import { openCheckpoint } from '@prune/checkpoint/node';
import { memorySink, type Tensor, tensor } from '@prune/core';
import { goldenPath, hostilePath, modelPath } from '@prune/fixtures';
import { openStore } from '@prune/model-files/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPrune } from './run-prune.js';

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const tiny = goldenPath('tiny');

test('no command shows the help and is a usage error', async () => {
  const { status, stderr } = await runPrune();
  expect(status).toBe(2);
  expect(stderr).toContain('Usage: prune');
});

test.each(['pack', 'unpack', 'convert', 'bundle', 'inspect', 'verify', 'compare', 'demo'])(
  '%s --help',
  async (command) => {
    const { status, stdout } = await runPrune(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: prune ${command}`);
  },
);

test('pack writes both stores, and they are equal', async () => {
  expect(await runPrune('pack', tiny, '-o', at('tiny.prune'))).toMatchObject({ status: 0, stderr: '' });
  expect(await runPrune('pack', tiny, '-o', at('tiny.h5'), '--quiet')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(readdirSync(folder)).toEqual(
    expect.arrayContaining(['config.json', 'metadata.json', 'tiny.h5', 'tiny.prune']),
  );
  const { status, stdout } = await runPrune('verify', at('tiny.h5'), at('tiny.prune'));
  expect(stdout).toMatch(/^equal: \d+ entries, bit for bit\n$/);
  expect(status).toBe(0);
});

test('the same input gives the same bytes', async () => {
  await runPrune('pack', tiny, '-o', at('again.prune'));
  expect(readFileSync(at('again.prune')).equals(readFileSync(at('tiny.prune')))).toBe(true);
});

test("pack makes of PyTorch's checkpoint what the notebook made", async () => {
  await runPrune('pack', join(tiny, 'pytorch_model_legacy.bin'), '-o', at('ours.prune'), '--exclude', 'embeddings');
  const { status, stdout } = await runPrune('verify', goldenPath('tiny/squad_sparse.h5'), at('ours.prune'));
  expect(stdout).toMatch(/^equal/);
  expect(status).toBe(0);
});

test('convert goes round through both stores without a change', async () => {
  const notebook = goldenPath('narrow/squad_sparse_with_embs.h5');
  expect((await runPrune('convert', notebook, at('narrow.prune'))).status).toBe(0);
  const h5 = mkdtempSync(join(folder, 'h5-'));
  expect((await runPrune('convert', at('narrow.prune'), join(h5, 'narrow.h5'))).status).toBe(0);
  expect(await runPrune('verify', notebook, join(h5, 'narrow.h5'))).toMatchObject({ status: 0, stderr: '' });
  expect((await runPrune('convert', join(h5, 'narrow.h5'), at('back.prune'))).status).toBe(0);
  expect(readFileSync(at('back.prune')).equals(readFileSync(at('narrow.prune')))).toBe(true);
});

test('unpack gives what dequantizing the store gives, in a folder that is a checkpoint', async () => {
  const dir = at('unpacked');
  expect(await runPrune('unpack', at('tiny.prune'), '-o', dir)).toMatchObject({ status: 0, stderr: '' });
  expect(readdirSync(dir).sort()).toEqual(['config.json', 'model.safetensors']);
  expect(await runPrune('verify', dir, at('tiny.h5'))).toMatchObject({ status: 0, stderr: '' });
  // Quantizing the dequantized weights keeps every nonzero. A code moves by at most one: the next scale makes 127.5
  // steps of the 128 of the largest weight.
  expect((await runPrune('pack', dir, '-o', at('repacked.prune'))).status).toBe(0);
  const [first, second] = [await openStore(at('tiny.prune')), await openStore(at('repacked.prune'))];
  const matrices = [...first.keys()].filter((name) => name.endsWith('.weight.int_repr.data'));
  expect(matrices).toHaveLength(13);
  for (const name of matrices) {
    const indices = name.replace(/data$/, 'indices');
    expect(await second.get(indices)).toEqual(await first.get(indices));
    const [before, after] = [await first.get(name), await second.get(name)] as Tensor<'int8'>[];
    const moved = Array.from(before.data, (code, i) => Math.abs(code - after.data[i]));
    expect(Math.max(...moved), name).toBeLessThanOrEqual(1);
  }
  await Promise.all([first.close(), second.close()]);
});

test("unpack writes a tokenizer's files alone, and nothing of a store that names others", async () => {
  const dir = at('hostile');
  mkdirSync(dir);
  writeFileSync(join(dir, 'package.json'), 'mine');
  const { status, stdout, stderr } = await runPrune('unpack', hostilePath('prune-unpack-files.prune'), '-o', dir);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^prune: [^\n]*prune-unpack-files\.prune: [^\n]*(package\.json|Makefile)[^\n]*\n$/);
  expect(readdirSync(dir)).toEqual(['package.json']);
  expect(readFileSync(join(dir, 'package.json'), 'utf8')).toBe('mine');
  const absent = at('hostile-absent');
  expect(await runPrune('unpack', hostilePath('prune-unpack-files.prune'), '-o', absent)).toMatchObject({ status: 2 });
  expect(readdirSync(folder)).not.toContain('hostile-absent');
});

test('verify says the first difference and exits 1, 2 when it cannot compare', async () => {
  await runPrune('pack', tiny, '-o', at('channel.prune'), '--per-channel');
  const { status, stdout } = await runPrune('verify', at('tiny.prune'), at('channel.prune'));
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /^different: bert\.encoder\.layer\.0\.attention\.output\.dense\._packed_params\.weight\.scale is float64 \[\], not float64 \[64\]/,
  );
  expect((await runPrune('verify', tiny, at('tiny.prune'))).status).toBe(1);
  expect(await runPrune('verify', tiny, at('absent.prune'))).toMatchObject({ status: 2, stdout: '' });
});

test('verify --logits compares what two files compute', async () => {
  const equal = await runPrune('verify', at('tiny.h5'), at('tiny.prune'), '--logits');
  expect(equal).toEqual({ status: 0, stdout: 'equal: the outputs for 25 batches, bit for bit\n', stderr: '' });
  const other = await runPrune('verify', at('tiny.h5'), at('channel.prune'), '--logits');
  expect(other.stdout).toMatch(/^different: batch 0, (start|end)_logits: /);
  expect(other.status).toBe(1);
});

test('a checkpoint equals itself in every form that PyTorch saves', async () => {
  for (const form of ['pytorch_model.bin', 'pytorch_model_legacy.bin']) {
    expect(await runPrune('verify', join(tiny, 'model.safetensors'), join(tiny, form))).toMatchObject({ status: 0 });
  }
});

test('inspect counts what is there and bounds it', async () => {
  const { status, stdout } = await runPrune('inspect', at('tiny.prune'), '--json');
  expect(status).toBe(0);
  const { matrices, entries, fileBytes, architecture, profile } = JSON.parse(stdout);
  expect({ architecture, profile }).toEqual({ architecture: 'BertForQuestionAnswering', profile: 'fbgemm' });
  expect(fileBytes).toBe(readFileSync(at('tiny.prune')).length);
  expect(matrices).toHaveLength(13);
  expect(matrices[0]).toMatchObject({
    name: 'bert.encoder.layer.0.attention.output.dense',
    shape: [64, 64],
    nonzeros: 328,
    density: 328 / 4096,
  });
  for (const { stored, bounds } of matrices) {
    expect(8 * (stored.mask + stored.values)).toBeGreaterThan(bounds.maskRowsAndColumns + bounds.values);
    expect(bounds.maskIndependent).toBeGreaterThanOrEqual(bounds.maskRowsAndColumns);
  }
  const stored = entries.reduce((sum: number, entry: { storedBytes: number }) => sum + entry.storedBytes, 0);
  expect(stored).toBeLessThan(fileBytes);
  const text = await runPrune('inspect', at('tiny.h5'), '--all');
  expect(text.stdout).toContain('bert.encoder.layer.0.attention.self.query ');
  expect(text.stdout).toMatch(/the file +[\d.]+ kB +100\.0 %/);
});

test('compare lists every form, each smaller than dense', async () => {
  const { status, stdout } = await runPrune('compare', tiny, '--json', '--quiet');
  expect(status).toBe(0);
  const { forms, excluded } = JSON.parse(stdout);
  expect(excluded).toEqual(['embeddings']);
  expect(forms.map(({ form }: { form: string }) => form).slice(0, 5)).toEqual([
    'dense float32',
    'dense int8',
    'CSR, uncompressed',
    'torch.save',
    'HDF5, gzip 9',
  ]);
  expect(forms[0].ratio).toBe(1);
  for (const { ratio } of forms.slice(1)) expect(ratio).toBeGreaterThan(1);
  const markdown = await runPrune('compare', tiny, '--markdown', '--exclude', 'none');
  expect(markdown.stdout).toMatch(/^\| form \| bytes \|/);
});

test('compare counts the same dense float32 however the embedding tables are stored', async () => {
  const rows = [];
  for (const dtype of ['f32', 'int8', 'int4']) {
    const { stdout } = await runPrune('compare', tiny, '--json', '--quiet', '--exclude', 'none', '--embeddings', dtype);
    rows.push(JSON.parse(stdout).forms.map(({ bytes }: { bytes: number }) => bytes));
  }
  const [floats, eight, four] = rows;
  expect([eight[0], four[0]]).toEqual([floats[0], floats[0]]);
  // As int8, the tables count as they are stored.
  expect(eight[1]).toBeLessThan(floats[1]);
  expect(four[1]).toBeLessThan(eight[1]);
});

test('pack says when tables that are rounded already would be smaller as floats', async () => {
  const model = modelPath('mini-qa');
  // A .prune file codes the integers of such a table either way. HDF5 files of other models lie in the folder, and what
  // lies beside them is another model's.
  const output = join(mkdtempSync(join(folder, 'rounded-')), 'rounded.h5');
  const { stderr } = await runPrune('pack', model, '-o', output, '--embeddings', 'int8');
  expect(stderr).toMatch(/^note: \S*word_embeddings\.weight is rounded already: --embeddings f32 is exact and smaller/);
  const { stderr: none } = await runPrune('pack', tiny, '-o', at('plain.prune'), '--embeddings', 'int8');
  expect(none).toBe('');
});

test('8- and 4-bit embeddings survive both stores', async () => {
  for (const bits of ['int8', 'int4']) {
    await runPrune('pack', tiny, '-o', at(`${bits}.prune`), '--embeddings', bits);
    await runPrune('convert', at(`${bits}.prune`), at(`${bits}.h5`));
    expect(await runPrune('verify', at(`${bits}.prune`), at(`${bits}.h5`))).toMatchObject({ status: 0 });
  }
});

test('users hear what is wrong in one line, and nothing is left behind', async () => {
  const before = readdirSync(folder);
  const broken = join(mkdtempSync(join(folder, 'broken-')), 'model.safetensors');
  writeFileSync(broken, readFileSync(join(tiny, 'model.safetensors')).subarray(0, 100_000));
  const cases: [args: string[], message: RegExp][] = [
    [['pack', at('absent'), '-o', at('x.prune')], /no such file/],
    [
      ['pack', goldenPath('tiny/squad_sparse.h5'), '-o', at('x.prune')],
      /squad_sparse\.h5: already packed, wanted .*prune convert/,
    ],
    [['pack', broken, '-o', at('x.prune')], /model\.safetensors: file size.*got 100000/],
    [['pack', tiny, '-o', at('x.bin')], /cannot tell the store/],
    [['pack', tiny, '-o', at('x.h5'), '--store', 'msgpack'], /\.h5.*msgpack/],
    [['pack', tiny, '-o', join(folder, 'no', 'x.prune')], /no.*x\.prune/],
    [['pack', tiny, '-o', at('x.prune'), '--level', '11'], /wanted 0 to 9/],
    [['convert', tiny, at('x.prune')], /not a store/],
    [['inspect', broken], /not a store/],
    [['pack', tiny], /required option/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr, stdout } = await runPrune(...args);
    expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/ {4}at /);
  }
  rmSync(join(broken, '..'), { recursive: true });
  expect(readdirSync(folder)).toEqual(before);
});

test('pack turns saved movement-pruning scores into pruned weights', async () => {
  const fineTuned = await openCheckpoint(tiny);
  const dense = new Map<string, Tensor>();
  for (const name of fineTuned.tensors.keys()) dense.set(name, (await fineTuned.tensors.get(name))!);
  await fineTuned.close();
  const scored = new Map(dense);
  for (const [name, { shape, data }] of dense) {
    if (!/encoder.*(?<!LayerNorm)\.weight$/.test(name)) continue;
    // A permutation of 0..n-1, for 7919 is a prime that divides no size here.
    const scores = Float32Array.from({ length: data.length }, (_, i) => (i * 7919) % data.length);
    scored.set(name.replace(/weight$/, 'mask_scores'), tensor('float32', shape, scores));
    dense.set(
      name,
      tensor(
        'float32',
        shape,
        Float32Array.from(
          data as Float32Array,
          (w, i) => w * +(scores[i] >= data.length - Math.trunc(0.15 * data.length)),
        ),
      ),
    );
  }
  expect(scored.size).toBeGreaterThan(dense.size);
  for (const [name, tensors] of Object.entries({ scored, dense })) {
    const path = at(name);
    mkdirSync(path);
    copyFileSync(join(tiny, 'config.json'), join(path, 'config.json'));
    const sink = memorySink();
    await writeSafetensors(sink, tensors);
    writeFileSync(join(path, 'model.safetensors'), sink.bytes());
  }
  const topK = ['--pruning-method', 'topK', '--pruning-threshold', '0.15'];
  expect((await runPrune('pack', at('scored'), '-o', at('scored.prune'), ...topK)).status).toBe(0);
  expect((await runPrune('pack', at('dense'), '-o', at('dense.prune'))).status).toBe(0);
  const unsaid = await runPrune('pack', at('scored'), '-o', at('unsaid.prune'));
  expect(unsaid).toMatchObject({ status: 2, stderr: expect.stringContaining('scores of movement pruning') });
  expect(await runPrune('verify', at('scored.prune'), at('dense.prune'))).toMatchObject({ status: 0, stderr: '' });
});

test('a pruning method, its threshold and the scores must fit together', async () => {
  const pack = (...flags: string[]) => runPrune('pack', tiny, '-o', at('refused.prune'), ...flags);
  expect((await pack('--pruning-method', 'random')).stderr).toContain('Allowed choices are topK');
  expect((await pack('--pruning-method', 'topK', '--pruning-threshold', '2')).stderr).toContain('wanted 0 to 1');
  expect((await pack('--pruning-method', 'topK')).stderr).toContain('threshold of topK');
  expect((await pack('--pruning-threshold', '0.1')).stderr).toContain('--pruning-method');
  expect((await pack('--pruning-method', 'l0')).stderr).toContain('no scores for the weight');
  expect(readdirSync(folder)).not.toContain('refused.prune');
});
