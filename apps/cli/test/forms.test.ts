// Models in the forms that people have: what `prune pack` makes of each, and what it says. `cases` of @prune/fixtures
// has them, with the answers of transformers in float32.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { casePath, goldenPath } from '@prune/fixtures';
import { openStore } from '@prune/model-files/node';
import { afterAll, expect, test } from 'vitest';
import { runPrune } from './run-prune.js';

const folder = mkdtempSync(join(tmpdir(), 'prune-forms-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

const QUESTION = ['--question', 'who sat ?', '--context', 'the cat sat on the mat in the red house'];

async function packed(path: string, name: string, ...options: string[]) {
  const run = await runPrune('pack', path, '-o', at(`${name}.prune`), ...options);
  expect(run).toMatchObject({ status: 0 });
  const store = await openStore(at(`${name}.prune`));
  const names = [...store.keys()];
  await store.close();
  return { notes: run.stderr, matrices: names.filter((entry) => entry.endsWith('int_repr.data')), names };
}

async function answerOf(path: string) {
  const run = await runPrune('answer', path, ...QUESTION, '--json');
  expect(run).toMatchObject({ status: 0, stderr: '' });
  return JSON.parse(run.stdout);
}

/** A case that has a config.json alone, with the weights of another. */
function withConfig(name: string): string {
  mkdirSync(at(name), { recursive: true });
  for (const file of ['model.safetensors', 'vocab.txt', 'tokenizer_config.json']) {
    copyFileSync(join(casePath('architecture-custom'), file), join(at(name), file));
  }
  copyFileSync(join(casePath(name), 'config.json'), join(at(name), 'config.json'));
  return at(name);
}

test.each([
  ['architecture-custom', 2.7491],
  ['pruned-heads', 1.717],
])('%s: the answer of transformers, in floats and packed', async (name, score) => {
  const wanted = { text: 'cat sat on', start: 4, end: 14 };
  const floats = await answerOf(casePath(name));
  expect(floats).toMatchObject(wanted);
  expect(floats.score).toBeCloseTo(score, 4);
  const { matrices, notes } = await packed(casePath(name), name);
  expect(matrices).toHaveLength(13);
  expect(notes).toBe('');
  // Rounded weights and activations move the score.
  const answer = await answerOf(at(`${name}.prune`));
  expect(answer).toMatchObject(wanted);
  expect(Math.abs(answer.score - score)).toBeLessThan(0.2);
});

test.each([
  ['prefix-orig-mod', 'bert.', 13],
  ['prefix-auto-model', '', 12],
])('%s: the prefix is removed, and said', async (name, prefix, linears) => {
  const { matrices, names, notes } = await packed(casePath(name), name);
  expect(matrices).toHaveLength(linears);
  expect(names).toContain(`${prefix}embeddings.word_embeddings.weight`);
  expect(notes).toMatch(/^note: what wraps the model is removed from (\d+) of \1 names: .*\n$/);
  expect(await packed(casePath(name), `${name}-quiet`, '--quiet')).toMatchObject({ notes: '' });
});

test('weight-orig-mask packs to what weight-orig-mask-removed packs to', async () => {
  const masked = await packed(casePath('weight-orig-mask'), 'masked');
  const removed = await packed(casePath('weight-orig-mask-removed'), 'removed');
  expect(masked.matrices).toHaveLength(13);
  expect([masked.notes, removed.notes]).toEqual([expect.stringContaining('torch.nn.utils.prune'), '']);
  const { status, stdout } = await runPrune('verify', at('masked.prune'), at('removed.prune'));
  expect(stdout).toMatch(/^equal/);
  expect(status).toBe(0);
});

test.each([
  ['is-decoder', 'is_decoder'],
  ['no-norm', 'layer_norm_type'],
])('%s: refused by name, packed or not', async (name, field) => {
  const path = withConfig(name);
  for (const run of [
    await runPrune('pack', path, '-o', at(`${name}.prune`)),
    await runPrune('answer', path, ...QUESTION),
  ]) {
    expect(run.status).not.toBe(0);
    expect(run.stderr).toContain(field);
  }
});

test('nan-in-config: read, and written again', async () => {
  const path = withConfig('nan-in-config');
  expect(await answerOf(path)).toMatchObject({ text: 'cat sat on' });
  await packed(path, 'nan');
  expect(await runPrune('unpack', at('nan.prune'), '-o', at('unpacked'))).toMatchObject({ status: 0 });
  expect(await answerOf(at('unpacked'))).toMatchObject({ text: 'cat sat on' });
  const store = await openStore(at('nan.prune'));
  expect(store.metadata.config).toMatchObject({ temperature: Number.NaN, max_score: Number.POSITIVE_INFINITY });
  await store.close();
});

test('a model without the layers of its config is refused, with some of its names', async () => {
  mkdirSync(at('fewer'));
  const config = JSON.parse(readFileSync(goldenPath('tiny/config.json'), 'utf8'));
  writeFileSync(join(at('fewer'), 'config.json'), JSON.stringify({ ...config, num_hidden_layers: 3 }));
  copyFileSync(goldenPath('tiny/model.safetensors'), join(at('fewer'), 'model.safetensors'));
  const { status, stderr } = await runPrune('pack', at('fewer'), '-o', at('fewer.prune'));
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/not in the model, which has 3 layers.*got \d+ names: bert\..*layer\.2\./);
});
