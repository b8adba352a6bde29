import { fileURLToPath } from 'node:url';
import type { Elementary, JsonObject, Tensor } from '@prune/core';
import { decompose } from '@prune/csr';
import { readNpz, SKIP_CONDITIONS } from '@prune/fixtures';
import type { Kernels } from '@prune/kernels';
import { linearModules, quantizeDynamic } from '@prune/quant';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../src/model/load-model.js';
import { largestDifference, rowsOf } from './largest-difference.js';

const npz = (name: string) => readNpz(fileURLToPath(new URL(`../golden/${name}`, import.meta.url)));
const pruned = npz('pruned.npz');
const golden = new Map([...npz('heads.npz'), ...pruned]);
const names = [...golden.keys()].flatMap((key) => (key.endsWith('.config') ? [key.slice(0, -'.config'.length)] : []));
const tensor = (key: string) => golden.get(key) as Tensor;

/** As in golden-models.test.ts. */
const LAST_BITS = { float: 6e-6, fbgemm: 1.5e-6, qnnpack: 1.5e-6 };
/** As there; these models are narrower, so one step of one activation weighs more. */
const ANOTHER_CODE: Readonly<Record<string, number>> = {
  'bert-mlm qnnpack': 0.035,
  'roberta-qa fbgemm': 0.12,
};

/** The sizes of pruned layers are no multiples of any kernel's blocks, so every kernel computes these models. */
const EVERY_KERNEL: readonly Kernels[] = [
  'reference',
  'wasm-simd',
  ...(SKIP_CONDITIONS['no-relaxed-simd']() ? [] : (['wasm-relaxed', 'wasm-wide'] as const)),
];

describe.each(names)('%s against transformers', (name) => {
  const config: JsonObject = JSON.parse(golden.get(`${name}.config`) as string);
  const parameters = new Map<string, Tensor>();
  for (const key of golden.keys()) {
    if (key.startsWith(`${name}.p.`)) parameters.set(key.slice(name.length + 3), tensor(key));
  }
  const [input_ids, attention_mask] = ['ids', 'mask'].map((key) => rowsOf(tensor(`${name}.${key}`)));
  const hasTypes = golden.has(`${name}.types`) && !name.startsWith('distil');
  const inputs = {
    input_ids,
    attention_mask,
    token_type_ids: hasTypes ? rowsOf(tensor(`${name}.types`)) : undefined,
  };

  const kernelsOf = pruned.has(`${name}.config`) ? EVERY_KERNEL : (['auto'] as const);
  const cases = (['float', 'fbgemm', 'qnnpack'] as const)
    .filter((engine) => [...golden.keys()].some((key) => key.startsWith(`${name}.${engine}.`)))
    .flatMap((engine) => kernelsOf.map((kernels) => ({ engine, kernels })));

  test.each(cases)('$engine, $kernels', async ({ engine, kernels }) => {
    const options = { config, engine: { kernels } };
    const model =
      engine === 'float'
        ? await loadModel(parameters, options)
        : await loadModel(await packed(parameters, config), { ...options, profile: engine });
    const outputs = Object.entries(
      model.heads.length === 0
        ? { last_hidden_state: (await model.hiddenStates(inputs, { padding: 'compute' })).at(-1)! }
        : await model.logits(inputs, { padding: 'compute' }),
    ).filter((entry): entry is [string, Tensor] => typeof entry[1] === 'object');
    const prefix = `${name}.${engine}.`;
    const wanted = [...golden.keys()].filter((key) => key.startsWith(prefix));
    expect(outputs.map(([key]) => prefix + key).sort()).toEqual(wanted.sort());
    for (const [key, output] of outputs) {
      const difference = largestDifference(output, tensor(prefix + key));
      if (process.env.PRUNE_REPORT) console.log(name, engine, kernels, key, difference);
      expect(difference).toBeLessThanOrEqual(ANOTHER_CODE[`${name} ${engine}`] ?? LAST_BITS[engine]);
    }
  });
});

async function packed(parameters: ReadonlyMap<string, Tensor>, config: JsonObject): Promise<Map<string, Elementary>> {
  const entries = new Map<string, Elementary>();
  const quantized = quantizeDynamic(parameters, linearModules(config, parameters));
  for await (const [name, value] of decompose(quantized)) entries.set(name, value);
  return entries;
}
