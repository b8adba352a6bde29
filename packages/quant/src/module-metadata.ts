import { type JsonObject, packedParamsName, type QuantizationProfile } from '@prune/core';

/** Versions of a quantized Linear and its packed params: torch 1.6 and later, and torch 1.5, whose 0..255 range readers tell by the 3. */
const VERSIONS = {
  fbgemm: { linear: 4, packed: 3 },
  qnnpack: { linear: 4, packed: 3 },
  onnxruntime: { linear: 4, packed: 3 },
  'fbgemm-1.5': { linear: 3, packed: 2 },
} as const;

/**
 * PyTorch's `state_dict()._metadata` of the quantized model, the notebook's metadata.json: each module's version, from the names of its float
 * parameters and its Linears. Modules without parameters (dropout, activations) are left out: torch reads nothing of theirs.
 * `qnnpack` and `onnxruntime`, which no version tells, are said by an extra key `profile` of the root entry, which
 * torch ignores and `profileOf` reads.
 */
export function moduleMetadata(
  parameterNames: Iterable<string>,
  linears: ReadonlySet<string>,
  profile: QuantizationProfile,
): JsonObject {
  const versions = VERSIONS[profile];
  const told = profile === 'fbgemm' || profile === 'fbgemm-1.5';
  const modules = new Map<string, JsonObject>([['', told ? { version: 1 } : { version: 1, profile }]]);
  for (const name of parameterNames) {
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const module = name.slice(0, dot);
      if (modules.has(module)) continue;
      modules.set(module, { version: linears.has(module) ? versions.linear : 1 });
      if (linears.has(module)) modules.set(packedParamsName(module), { version: versions.packed });
    }
  }
  return Object.fromEntries(modules);
}
