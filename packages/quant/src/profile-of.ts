import {
  type JsonObject,
  type ModelMetadata,
  PruneError,
  packedParamsName,
  QUANTIZATION_PROFILES,
  type QuantizationProfile,
} from '@prune/core';

/** torch 1.6 raised the version of a quantized Linear to 4 and has halved the activation range on x86 since. */
const FIRST_REDUCED_RANGE_VERSION = 4;
/** A module with packed params and a lower version is a quantized Embedding; a Linear has had them since its version 2 (torch 1.4). */
const FIRST_PACKED_LINEAR_VERSION = 2;

/**
 * How a model's quantized Linears compute: `override` if given, else `metadata.profile`, else the `profile` that `moduleMetadata` left in the
 * root entry of `metadata.modules`, else by the version of the quantized Linears there (`fbgemm` from 4 on, `fbgemm-1.5` below), else `fbgemm`.
 * Throws `invalid-argument` for an override that is no profile, `unsupported` for such a one in the metadata, `mismatch` when versions contradict.
 */
export function profileOf(metadata: ModelMetadata, override?: QuantizationProfile): QuantizationProfile {
  const modules = metadata.modules ?? {};
  if (override !== undefined) return checked(override, 'invalid-argument');
  if (metadata.profile !== undefined) return checked(metadata.profile, 'unsupported');
  const root = modules[''];
  if (isObject(root) && root.profile !== undefined) return checked(root.profile, 'unsupported');
  return profileByVersion(modules) ?? QUANTIZATION_PROFILES[0];
}

function profileByVersion(modules: JsonObject): QuantizationProfile | undefined {
  let first: { module: string; profile: QuantizationProfile } | undefined;
  for (const [module, entry] of Object.entries(modules)) {
    if (!Object.hasOwn(modules, packedParamsName(module)) || !isObject(entry)) continue;
    const version = entry.version;
    if (typeof version !== 'number' || !(version >= FIRST_PACKED_LINEAR_VERSION)) continue;
    const profile = version >= FIRST_REDUCED_RANGE_VERSION ? 'fbgemm' : 'fbgemm-1.5';
    first ??= { module, profile };
    if (first.profile !== profile) {
      throw new PruneError('mismatch', {
        where: 'quant',
        tensor: module,
        what: 'module versions of different torch releases',
        got: `${profile}`,
        wanted: `${first.profile} as "${first.module}" has, or an explicit profile`,
      });
    }
  }
  return first?.profile;
}

function checked(profile: unknown, code: 'invalid-argument' | 'unsupported'): QuantizationProfile {
  const found = QUANTIZATION_PROFILES.find((known) => known === profile);
  if (found !== undefined) return found;
  throw new PruneError(code, {
    where: 'quant',
    what: 'unknown quantization profile',
    got: String(profile),
    wanted: QUANTIZATION_PROFILES.join(', '),
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
