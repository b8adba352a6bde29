import {
  type ByteSink,
  checkAborted,
  checkLimit,
  checkReadableMap,
  DEFAULT_LIMITS,
  type Limits,
  locateError,
  PruneError,
  type ReadableMap,
  type Tensor,
  tensorBytes,
} from '@prune/core';
import { SAFETENSORS_DTYPES } from './safetensors-header.js';
import { writeToSink } from './write-to-sink.js';

export interface WriteSafetensorsOptions {
  /** `__metadata__`. transformers refuses files without a known `format`. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly onTensor?: (name: string, tensor: Tensor) => void;
  readonly limits?: Limits;
}

/** `{ format: 'pt' }`: what transformers asks of a PyTorch checkpoint. */
export const DEFAULT_SAFETENSORS_METADATA: Readonly<Record<string, string>> = { format: 'pt' };

// `"":{"dtype":"BF16","shape":[],"data_offsets":[,]},` and two offsets of 16 digits; a dimension has 16 digits and a comma.
const ENTRY_BYTES = 52 + 2 * 16;
const DIMENSION_BYTES = 17;

/**
 * Writes a state dict as safetensors, then commits the sink; aborts it when anything fails. Tensors stream through in the state
 * dict's order, one in memory at a time; space for the header is reserved by what its names can need at most, and padded with spaces.
 * A tensor whose bytes are no multiple of 8 comes last, widest dtype first, and is read then: so each starts at a multiple of its
 * element's width, as the safetensors library needs, and the format's rule against holes is kept.
 * Throws `missing` for a name without a tensor, `invalid-argument` for the name `__metadata__`, `limit`, `aborted`.
 */
export async function writeSafetensors(
  sink: ByteSink,
  stateDict: ReadableMap<Tensor>,
  options: WriteSafetensorsOptions = {},
): Promise<void> {
  await writeToSink('writeSafetensors', sink, async () => {
    checkReadableMap('writeSafetensors', 'state dict', stateDict);
    await writeAll(sink, stateDict, options);
  });
}

async function writeAll(sink: ByteSink, stateDict: ReadableMap<Tensor>, options: WriteSafetensorsOptions) {
  const { metadata = DEFAULT_SAFETENSORS_METADATA, limits = DEFAULT_LIMITS } = options;
  const names = [...stateDict.keys()];
  checkLimit('too many tensors', names.length, limits.tensors, { where: 'writeSafetensors' });
  const headerBytes = headerBound(names, metadata, limits);
  checkLimit('header is too large (bytes)', headerBytes, limits.headerBytes, { where: 'writeSafetensors' });
  await sink.write(new Uint8Array(8 + headerBytes));

  const entries = new Map<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }>();
  const deferred: { name: string; width: number }[] = [];
  let offset = 0;
  const read = async (name: string): Promise<Tensor> => {
    checkAborted(options.signal);
    const tensor = await stateDict.get(name);
    if (tensor === undefined)
      throw new PruneError('missing', { where: 'writeSafetensors', what: 'no such tensor', tensor: name });
    checkLimit('too many dimensions', tensor.shape.length, limits.rank, { tensor: name });
    return tensor;
  };
  const write = async (name: string, tensor: Tensor) => {
    const bytes = tensorBytes(tensor);
    try {
      await sink.write(bytes);
    } catch (error) {
      throw locateError(error, { tensor: name });
    }
    entries.set(name, {
      dtype: SAFETENSORS_DTYPES[tensor.dtype],
      shape: tensor.shape,
      data_offsets: [offset, offset + bytes.byteLength],
    });
    offset += bytes.byteLength;
    options.onTensor?.(name, tensor);
  };
  for (const name of names) {
    const tensor = await read(name);
    if (tensor.data.byteLength % 8 === 0) await write(name, tensor);
    else deferred.push({ name, width: tensor.data.BYTES_PER_ELEMENT });
  }
  for (const { name } of deferred.sort((a, b) => b.width - a.width)) await write(name, await read(name));
  await sink.writeAt(0, header(names, entries, metadata, headerBytes));
}

/** An upper bound of the header's bytes, a multiple of 8. */
function headerBound(names: readonly string[], metadata: Readonly<Record<string, string>>, limits: Limits): number {
  let bytes = encode({ __metadata__: metadata }).byteLength;
  for (const name of names) {
    if (name === '__metadata__') {
      throw new PruneError('invalid-argument', {
        where: 'writeSafetensors',
        what: 'a tensor may not be named __metadata__',
      });
    }
    bytes += encode(name).byteLength + ENTRY_BYTES + DIMENSION_BYTES * limits.rank;
  }
  return 8 * Math.ceil(bytes / 8);
}

function header(
  names: readonly string[],
  entries: ReadonlyMap<string, object>,
  metadata: Readonly<Record<string, string>>,
  headerBytes: number,
): Uint8Array {
  // Written name by name: an object would put names that look like integers first, and take `__proto__` for its prototype.
  const members = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(entries.get(name))}`);
  const json = new TextEncoder().encode(`{${[`"__metadata__":${JSON.stringify(metadata)}`, ...members].join(',')}}`);
  const bytes = new Uint8Array(8 + headerBytes).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, 8);
  return bytes;
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
