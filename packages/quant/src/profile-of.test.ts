import { readFileSync } from 'node:fs';
import { QUANTIZATION_PROFILES } from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { linearModules } from './linear-modules.js';
import { moduleMetadata } from './module-metadata.js';
import { profileOf } from './profile-of.js';

const json = (name: string) => JSON.parse(readFileSync(goldenPath(name), 'utf8'));
const versions = (linear: unknown, packed = 3) => ({
  '': { version: 1 },
  a: { version: linear },
  'a._packed_params': { version: packed },
});

test('nothing known: the default', () => {
  expect(profileOf({})).toBe('fbgemm');
  expect(profileOf({ modules: {} })).toBe('fbgemm');
  expect(profileOf({ modules: { '': { version: 1 }, a: { version: 1 } } })).toBe('fbgemm');
});

test('the version of a quantized Linear decides', () => {
  expect(profileOf({ modules: json('tiny/metadata.json') })).toBe('fbgemm');
  expect(profileOf({ modules: json('base/metadata.json') })).toBe('fbgemm');
  for (const version of [4, 5, 99]) expect(profileOf({ modules: versions(version) })).toBe('fbgemm');
  for (const version of [2, 3]) expect(profileOf({ modules: versions(version) })).toBe('fbgemm-1.5');
  // Not a Linear's version: a quantized Embedding's, or nonsense.
  for (const version of [1, '3', null, Number.NaN]) expect(profileOf({ modules: versions(version, 1) })).toBe('fbgemm');
});

test('the explicit profile comes first, then the metadata, then the root entry', () => {
  const modules = { ...versions(3), '': { version: 1, profile: 'qnnpack' } };
  expect(profileOf({ modules })).toBe('qnnpack');
  expect(profileOf({ modules, profile: 'fbgemm' })).toBe('fbgemm');
  expect(profileOf({ modules, profile: 'fbgemm' }, 'fbgemm-1.5')).toBe('fbgemm-1.5');
  expect(profileOf({ modules }, undefined)).toBe('qnnpack');
});

test('unknown profiles and contradictory versions are refused', () => {
  const bad = 'vnni' as 'fbgemm';
  expect(() => profileOf({}, bad)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(() => profileOf({ profile: bad })).toThrow(expect.objectContaining({ code: 'unsupported' }));
  expect(() => profileOf({ modules: { '': { profile: 5 } } })).toThrow(
    expect.objectContaining({ code: 'unsupported' }),
  );
  const mixed = { ...versions(3), b: { version: 4 }, 'b._packed_params': { version: 3 } };
  expect(() => profileOf({ modules: mixed })).toThrow(expect.objectContaining({ code: 'mismatch', tensor: 'b' }));
  expect(profileOf({ modules: mixed }, 'qnnpack')).toBe('qnnpack');
});

test.each(QUANTIZATION_PROFILES)('profileOf reads back what moduleMetadata wrote: %s', (profile) => {
  const modules = moduleMetadata(['a.b.weight', 'a.b.bias', 'c.weight'], new Set(['a.b']), profile);
  expect(profileOf({ modules: JSON.parse(JSON.stringify(modules)) })).toBe(profile);
});

test('metadata of torch 1.5, and none at all', () => {
  expect(moduleMetadata([], new Set(['a']), 'fbgemm')).toEqual({ '': { version: 1 } });
  expect(moduleMetadata(['a.b.weight', 'x'], new Set(['a.b']), 'fbgemm-1.5')).toEqual({
    '': { version: 1 },
    a: { version: 1 },
    'a.b': { version: 3 },
    'a.b._packed_params': { version: 2 },
  });
  const odd = moduleMetadata(['__proto__.weight'], new Set(), 'fbgemm');
  expect(JSON.stringify(odd)).toBe('{"":{"version":1},"__proto__":{"version":1}}');
});

test.each(['tiny', 'narrow'])('%s: PyTorch has the same metadata, and modules without parameters besides', (model) => {
  const golden = json(`${model}/metadata.json`);
  const file = readFileSync(goldenPath(`${model}/model.safetensors`));
  const header = JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0))));
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  const { linears } = linearModules(
    json(`${model}/config.json`),
    names.map((name) => [name, { dtype: 'float32', shape: header[name].shape }]),
  );
  const made = moduleMetadata(names, linears, 'fbgemm');
  const parameterless = Object.keys(golden).filter((module) => /\.(dropout|intermediate_act_fn)$/.test(module));
  for (const module of parameterless) delete golden[module];
  expect(parameterless.length).toBeGreaterThan(0);
  expect(made).toEqual(golden);
});
