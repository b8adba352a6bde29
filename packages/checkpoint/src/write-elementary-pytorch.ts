import {
  type ByteSink,
  checkAborted,
  checkReadableMap,
  type Elementary,
  type ElementaryStateDict,
  intReprArrayOf,
  isShapeName,
  LINEAR_PARTS,
  PruneError,
  type ReadableMap,
  splitPartName,
  type Tensor,
  tensorBytes,
} from '@prune/core';
import { NUMPY_DTYPES } from './pytorch/numpy-dtypes.js';
import type { PickleWriter } from './pytorch-writer/pickle-writer.js';
import { pickleParameter, pickleTensor } from './pytorch-writer/pickled-tensors.js';
import { type StoredTensor, TorchArchive } from './pytorch-writer/torch-archive.js';
import { writeToSink } from './write-to-sink.js';

/** Options of {@link writeElementaryPytorch}. */
export interface WriteElementaryPytorchOptions {
  readonly signal?: AbortSignal;
  /** Called when an entry is written. */
  readonly onEntry?: (name: string) => void;
}

/**
 * Writes the elementary form as the notebook's `torch.save` does, then commits the sink; aborts it when anything fails:
 * the arrays of sparse matrices are arrays of numpy, which the pickle holds, shapes are tuples, scales and zero points
 * are numbers, everything else is a tensor of torch. The sink gets the file front to back, a value when it was read.
 * Throws `unsupported` for dtypes that torch or numpy does not have, `missing`, `limit` (a pickle of 4 GiB), `aborted`.
 */
export async function writeElementaryPytorch(
  sink: ByteSink,
  elementary: ElementaryStateDict,
  options: WriteElementaryPytorchOptions = {},
): Promise<void> {
  await writeToSink('writeElementaryPytorch', sink, async () => {
    checkReadableMap('writeElementaryPytorch', 'elementary state dict', elementary);
    const archive = new TorchArchive(sink);
    const names = [...elementary.keys()];
    const stored = new Map<string, StoredTensor>();
    for (const name of names) {
      checkAborted(options.signal);
      // Those are in the pickle.
      if (intReprArrayOf(name) !== undefined || isShapeName(name)) continue;
      const value = await required(elementary, name);
      if (typeof value === 'string' || isNumber(name, value)) continue;
      stored.set(name, await archive.tensor(value, name));
      options.onEntry?.(name);
    }
    await archive.finish(async (pickle) => {
      pickle.emptyDict();
      await pickle.setItemsInTurns(names, async (name) => {
        checkAborted(options.signal);
        pickle.text(name);
        const tensor = stored.get(name);
        if (tensor !== undefined) {
          if (splitPartName(name)?.part === LINEAR_PARTS.bias) pickleParameter(pickle, tensor);
          else pickleTensor(pickle, tensor);
          return;
        }
        pickleValue(pickle, name, await required(elementary, name));
        options.onEntry?.(name);
      });
    });
  });
}

/** One scale and one zero point are Python's numbers, as torch gives them. */
function isNumber(name: string, { shape }: Tensor): boolean {
  const part = splitPartName(name)?.part;
  return shape.length === 0 && (part === LINEAR_PARTS.scale || part === LINEAR_PARTS.zeroPoint);
}

function pickleValue(pickle: PickleWriter, name: string, value: Elementary): void {
  const part = splitPartName(name)?.part;
  if (typeof value === 'string') {
    if (part === LINEAR_PARTS.dtype) pickle.global('torch', value.replace(/^torch\./, ''));
    else pickle.text(value);
  } else if (isShapeName(name)) pickle.integers(Array.from(value.data as ArrayLike<number | bigint>, Number));
  else if (part === LINEAR_PARTS.scale) pickle.float(Number(value.data[0]));
  else if (part === LINEAR_PARTS.zeroPoint) pickle.integer(Number(value.data[0]));
  else pickleArray(pickle, name, value);
}

/** numpy's own dtypes by ours; one byte has no order. */
const CODE_OF_DTYPE = new Map([...NUMPY_DTYPES].map(([code, dtype]) => [dtype, code]));

/** An array of numpy. The names are numpy 1's, which numpy 2 knows too. */
function pickleArray(pickle: PickleWriter, name: string, array: Tensor): void {
  const code = CODE_OF_DTYPE.get(array.dtype);
  if (code === undefined) {
    throw new PruneError('unsupported', { what: 'dtype of an array of numpy', got: array.dtype, tensor: name });
  }
  pickle.call(
    () => pickle.global('numpy.core.multiarray', '_reconstruct'),
    () => pickle.global('numpy', 'ndarray'),
    () => pickle.integers([0]),
    () => pickle.once('placeholder', () => pickle.latin1(Uint8Array.of(0x62))),
  );
  pickle.build(() =>
    pickle.tuple(
      () => pickle.integer(1),
      () => pickle.integers(array.shape),
      () => pickleDtype(pickle, code),
      () => pickle.boolean(false),
      () => pickle.latin1(tensorBytes(array)),
    ),
  );
}

/** A dtype: its code, and a state that says the order of its bytes. */
function pickleDtype(pickle: PickleWriter, code: string): void {
  const dtype = () =>
    pickle.call(
      () => pickle.global('numpy', 'dtype'),
      () => pickle.text(code),
      () => pickle.boolean(false),
      () => pickle.boolean(true),
    );
  pickle.once(`dtype ${code}`, dtype, () =>
    pickle.tuple(
      () => pickle.integer(3),
      () => pickle.text(code.endsWith('1') ? '|' : '<'),
      () => pickle.none(),
      () => pickle.none(),
      () => pickle.none(),
      () => pickle.integer(-1),
      () => pickle.integer(-1),
      () => pickle.integer(0),
    ),
  );
}

async function required(elementary: ReadableMap<Elementary>, name: string): Promise<Elementary> {
  const value = await elementary.get(name);
  if (value === undefined) throw new PruneError('missing', { what: 'listed, but there is no value', tensor: name });
  return value;
}
