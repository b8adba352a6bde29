import type { PickleWriter } from './pickle-writer.js';
import type { StoredTensor } from './torch-archive.js';

/** How the codes of a quantized tensor stand for numbers. */
export type StoredQuantizer =
  | { readonly scale: number }
  | { readonly scales: StoredTensor; readonly zeroPoints: StoredTensor };

/** An `OrderedDict` without items: torch's dict of hooks, and the beginning of a state dict. */
export function orderedDict(pickle: PickleWriter): void {
  pickle.call(() => pickle.global('collections', 'OrderedDict'));
}

/** A tensor as `torch.save` pickles it. */
export function pickleTensor(pickle: PickleWriter, tensor: StoredTensor): void {
  pickle.call(
    () => pickle.global('torch._utils', '_rebuild_tensor_v2'),
    () => storage(pickle, tensor),
    () => pickle.integer(0),
    () => pickle.integers(tensor.shape),
    () => pickle.integers(strides(tensor.shape)),
    () => pickle.boolean(false),
    () => orderedDict(pickle),
  );
}

/** A parameter, which is what torch has as the bias of a quantized Linear. */
export function pickleParameter(pickle: PickleWriter, tensor: StoredTensor): void {
  pickle.call(
    () => pickle.global('torch._utils', '_rebuild_parameter'),
    () => pickleTensor(pickle, tensor),
    () => pickle.boolean(true),
    () => orderedDict(pickle),
  );
}

/** A quantized tensor: one scale and the zero point 0, or a scale and a zero point for each row. */
export function pickleQuantized(pickle: PickleWriter, codes: StoredTensor, quantizer: StoredQuantizer): void {
  pickle.call(
    () => pickle.global('torch._utils', '_rebuild_qtensor'),
    () => storage(pickle, codes),
    () => pickle.integer(0),
    () => pickle.integers(codes.shape),
    () => pickle.integers(strides(codes.shape)),
    () => pickleQuantizer(pickle, quantizer),
    () => pickle.boolean(false),
    () => orderedDict(pickle),
  );
}

function pickleQuantizer(pickle: PickleWriter, quantizer: StoredQuantizer): void {
  if ('scale' in quantizer) {
    pickle.tuple(
      () => pickle.global('torch', 'per_tensor_affine'),
      () => pickle.float(quantizer.scale),
      () => pickle.integer(0),
    );
    return;
  }
  // For tables too, whose zero points are floats.
  pickle.tuple(
    () => pickle.global('torch', 'per_channel_affine'),
    () => pickleTensor(pickle, quantizer.scales),
    () => pickleTensor(pickle, quantizer.zeroPoints),
    () => pickle.integer(0),
  );
}

function storage(pickle: PickleWriter, { key, storage, elements }: StoredTensor): void {
  pickle.persistent(() =>
    pickle.tuple(
      () => pickle.shared('storage'),
      () => pickle.global('torch', storage),
      () => pickle.text(key),
      () => pickle.shared('cpu'),
      () => pickle.integer(elements),
    ),
  );
}

/** In elements, of rows one after the other. */
function strides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const size of [...shape].reverse()) {
    strides.unshift(stride);
    stride *= Math.max(size, 1);
  }
  return strides;
}
