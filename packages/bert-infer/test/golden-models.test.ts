import { readFileSync } from 'node:fs';
import type { Tensor } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../src/model/load-model.js';
import { argmaxOfRows, largestDifference, rowsOf } from './largest-difference.js';
import { readSafetensors } from './read-safetensors.js';

/** About twice what is measured. Our float parts and PyTorch's add in different orders, so their last bits differ. */
const LAST_BITS = { float: 5e-6, fbgemm: 2.5e-6, x86: 2.5e-6, onednn: 2.5e-6, qnnpack: 1.5e-6 };
/**
 * Such a bit can move an activation over the border between two codes. The activation then changes by one step, 1/127
 * or 1/255 of its tensor's range, and later layers change by up to about a thousandth. It happens in these tensors.
 */
const ANOTHER_CODE: Readonly<Record<string, number>> = {
  'tiny qnnpack hidden.1': 1.2e-3,
  'tiny qnnpack hidden.2': 1.3e-3,
  'tiny qnnpack start': 1e-3,
  'tiny qnnpack end': 1e-3,
  'narrow fbgemm hidden.3': 2.7e-3,
  'narrow x86 hidden.3': 2.7e-3,
  'narrow onednn hidden.3': 2.7e-3,
  'narrow qnnpack hidden.1': 1e-3,
  'narrow qnnpack hidden.2': 1.3e-3,
  'narrow qnnpack hidden.3': 1.3e-3,
};
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
    const wanted = [...golden.keys()].filter((key) => key.startsWith(`${engine}.`));
    expect(found.map(([key]) => `${engine}.${key}`).sort()).toEqual(wanted.sort());
    const differences = found.map(([key, tensor]): [string, number] => [
      key,
      largestDifference(tensor, golden.get(`${engine}.${key}`)!),
    ]);
    if (process.env.PRUNE_REPORT) console.log(name, engine, Object.fromEntries(differences));
    const tolerance = (key: string) => ANOTHER_CODE[`${name} ${engine} ${key}`] ?? LAST_BITS[engine];
    expect(differences.filter(([key, difference]) => !(difference <= tolerance(key)))).toEqual([]);
    for (const [key, tensor] of found.slice(-2)) {
      expect(argmaxOfRows(tensor)).toEqual(argmaxOfRows(golden.get(`${engine}.${key}`)!));
    }
  });
});
