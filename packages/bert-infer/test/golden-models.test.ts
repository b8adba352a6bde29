import { readFileSync } from 'node:fs';
import type { Tensor } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../src/model/load-model.js';
import { argmaxOfRows, largestDifference, rowsOf } from './largest-difference.js';
import { readSafetensors } from './read-safetensors.js';

// Ours and PyTorch's float parts differ in the last bits (order of sums), so a value that lies next to the border between two codes of an
// activation can fall to the other side: one step of one activation, about 1/127 of the range of its tensor, moves what follows by up to
// some thousandths. In `float`, nothing can.
const TOLERANCE = { quantized: 1e-2, float: 1e-5 };
const PROFILES = { float: undefined, fbgemm: 'fbgemm', x86: 'fbgemm', onednn: 'fbgemm', qnnpack: 'qnnpack' } as const;

describe.each(['tiny', 'narrow'])('%s against PyTorch', (name) => {
  const config = JSON.parse(readFileSync(goldenPath(`${name}/config.json`), 'utf8'));
  const golden = readNpz(goldenPath(`${name}/logits.npz`)) as Map<string, Tensor>;
  const [input_ids, attention_mask, token_type_ids] = ['ids', 'mask', 'tt'].map((key) => rowsOf(golden.get(key)!));
  const inputs = { input_ids, attention_mask, token_type_ids };

  test.each(Object.keys(PROFILES) as (keyof typeof PROFILES)[])('%s', async (engine) => {
    const float = engine === 'float';
    const model = float
      ? await loadModel(readSafetensors(goldenPath(`${name}/model.safetensors`)), { config })
      : await loadModel(readNpz(goldenPath(`${name}/elementary.npz`)), { config, profile: PROFILES[engine] });
    expect(model).toMatchObject({ profile: PROFILES[engine] ?? 'float32', heads: ['question-answering'] });

    // PyTorch computes padded rows, and its ranges of activations span them.
    const hidden = await model.hiddenStates(inputs, { padding: 'compute' });
    const logits = await model.logits(inputs, { padding: 'compute', head: 'question-answering' });
    const found: [string, Tensor][] = [
      ...hidden.map((state, layer): [string, Tensor] => [`hidden.${layer}`, state]),
      ['start', logits.start_logits],
      ['end', logits.end_logits],
    ];
    const differences = found.map(([key, tensor]) => [key, largestDifference(tensor, golden.get(`${engine}.${key}`)!)]);
    if (process.env.PRUNE_REPORT) console.log(name, engine, Object.fromEntries(differences));
    const tolerance = float ? TOLERANCE.float : TOLERANCE.quantized;
    expect(differences.filter(([, difference]) => !(Number(difference) <= tolerance))).toEqual([]);
    for (const [key, tensor] of found.slice(-2)) {
      expect(argmaxOfRows(tensor)).toEqual(argmaxOfRows(golden.get(`${engine}.${key}`)!));
    }
  });
});
