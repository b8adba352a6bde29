import { type Dtype, PruneError, type Tensor, type TensorInfo, tensor, toFloat32 } from '@prune/core';
import type { Checkpoint } from './checkpoint.js';

const ORIGINAL = '_orig';
const MASK = '_mask';

/**
 * The checkpoint with the pruning of `torch.nn.utils.prune` made permanent, each tensor when it is read: `X_orig` and
 * `X_mask` become `X`, their product in the dtype of `X_orig`, bit for bit what `prune.remove` saves (-0 where a
 * negative weight was pruned). Everything else is as it was. Throws `missing` for an `X_orig` without its mask,
 * `mismatch` for a mask of another shape; reading throws `unsupported` for a mask of half-precision weights with
 * something other than 0 and 1.
 */
export function withPrunedWeights(checkpoint: Checkpoint): {
  readonly tensors: Checkpoint;
  readonly notes: readonly string[];
} {
  const names = [...checkpoint.keys()];
  const known = new Set(names);
  /** The parameter, and the name that its two tensors have in common. */
  const pruned = new Set<string>();
  for (const name of names) if (isOriginal(name)) pruned.add(name.slice(0, -ORIGINAL.length));
  if (pruned.size === 0) return { tensors: checkpoint, notes: [] };
  for (const name of pruned) checkPair(checkpoint, name, known);
  const kept = names
    .filter((name) => !(name.endsWith(MASK) && pruned.has(name.slice(0, -MASK.length))))
    .map((name) => (isOriginal(name) ? name.slice(0, -ORIGINAL.length) : name));
  const tensors = {
    name: checkpoint.name,
    format: checkpoint.format,
    keys: () => kept,
    info: (name) => checkpoint.info(pruned.has(name) ? `${name}${ORIGINAL}` : name),
    async get(name) {
      if (!pruned.has(name)) return checkpoint.get(name);
      const [original, mask] = await Promise.all([
        checkpoint.get(`${name}${ORIGINAL}`),
        checkpoint.get(`${name}${MASK}`),
      ]);
      return product(original!, mask!, { where: checkpoint.name, tensor: `${name}${MASK}` });
    },
    // A product is there as a whole only.
    pieces: (name) => (pruned.has(name) ? undefined : checkpoint.pieces(name)),
    close: () => checkpoint.close(),
  } satisfies Required<Checkpoint>;
  return { tensors, notes: [`${pruned.size} tensors are X_orig * X_mask, as torch.nn.utils.prune keeps them`] };
}

function isOriginal(name: string): boolean {
  return /(?:^|\.)(?:weight|bias)_orig$/.test(name);
}

function checkPair(checkpoint: Checkpoint, name: string, known: ReadonlySet<string>): void {
  const place = { where: checkpoint.name, tensor: `${name}${ORIGINAL}` };
  const mask = checkpoint.info(`${name}${MASK}`);
  const original = checkpoint.info(`${name}${ORIGINAL}`)!;
  if (mask === undefined) {
    throw new PruneError('missing', { ...place, what: 'no mask for a pruned tensor', wanted: `${name}${MASK}` });
  }
  if (known.has(name)) {
    throw new PruneError('mismatch', { ...place, what: 'a pruned tensor beside its original', got: name });
  }
  if (mask.shape.join() !== original.shape.join()) {
    throw new PruneError('mismatch', {
      ...place,
      what: 'shape of the mask',
      got: shape(mask),
      wanted: shape(original),
    });
  }
}

function shape(info: TensorInfo): string {
  return `[${info.shape.join(', ')}]`;
}

type Place = { readonly where: string; readonly tensor: string };

function product(original: Tensor, mask: Tensor, place: Place): Tensor {
  const factors = factorsOf(mask, place);
  const { dtype, shape: size } = original;
  if (dtype === 'float32') {
    const { data } = original as Tensor<'float32'>;
    return tensor(
      dtype,
      size,
      Float32Array.from(data, (value, i) => value * factors[i]),
    );
  }
  if (dtype === 'float64') {
    const { data } = original as Tensor<'float64'>;
    return tensor(
      dtype,
      size,
      Float64Array.from(data, (value, i) => value * factors[i]),
    );
  }
  if (dtype !== 'float16' && dtype !== 'bfloat16') throw notFloat(dtype, place);
  const { data } = original as Tensor<'float16'>;
  const { infinity, nan } = HALVES[dtype];
  const bits = Uint16Array.from(data, (value, i) => {
    const factor = Number(factors[i]);
    if (factor === 1) return value;
    if (factor !== 0) {
      throw new PruneError('unsupported', { ...place, what: 'mask', got: factor, wanted: `0 or 1 for ${dtype}` });
    }
    return (value & 0x7fff) >= infinity ? nan : value & 0x8000;
  });
  return tensor(dtype, size, bits);
}

/** Bits of an infinity, above which all is NaN, and of NaN, the product of an infinity and 0. */
const HALVES = { float16: { infinity: 0x7c00, nan: 0x7e00 }, bfloat16: { infinity: 0x7f80, nan: 0x7fc0 } } as const;

/** A mask's numbers. torch keeps masks in the dtype of the weights. */
function factorsOf(mask: Tensor, place: Place): ArrayLike<number> {
  const { dtype } = mask;
  if (dtype === 'float16' || dtype === 'bfloat16') return toFloat32(mask, place).data;
  if (dtype === 'float32' || dtype === 'float64' || dtype === 'bool' || dtype === 'uint8') {
    return mask.data as Float32Array;
  }
  throw notFloat(dtype, place);
}

function notFloat(dtype: Dtype, place: Place): PruneError {
  return new PruneError('unsupported', { ...place, what: 'dtype of a pruned tensor or its mask', got: dtype });
}
