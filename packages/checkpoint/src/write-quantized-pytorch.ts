import {
  type ByteSink,
  checkAborted,
  checkArgument,
  checkReadableMap,
  entriesOf,
  type JsonObject,
  linearNames,
  PruneError,
  partName,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  scalar,
  type Tensor,
} from '@prune/core';
import { PACKED } from './pytorch/packed-names.js';
import type { PickleWriter } from './pytorch-writer/pickle-writer.js';
import {
  orderedDict,
  pickleParameter,
  pickleQuantized,
  pickleTensor,
  type StoredQuantizer,
} from './pytorch-writer/pickled-tensors.js';
import { type StoredTensor, TorchArchive } from './pytorch-writer/torch-archive.js';
import { writeToSink } from './write-to-sink.js';

/** Where a quantized Linear `X` has its parts in a state dict of PyTorch's. */
export type PytorchLayout = 'current' | 'torch-1.5';

/**
 * Every layout, the default first. `current`, of torch 1.6 and later: the tuple `X._packed_params._packed_params`.
 * `torch-1.5`, of the notebook: `X._packed_params.weight` and `X._packed_params.bias`.
 */
export const PYTORCH_LAYOUTS: readonly PytorchLayout[] = ['current', 'torch-1.5'];

/** Options of {@link writeQuantizedPytorch}. */
export interface WriteQuantizedPytorchOptions {
  /**
   * torch's `_metadata`: the versions of the modules, by which torch tells the layout. Without it `load_state_dict`
   * takes every layout for that of torch 1.5. `moduleMetadata` of `@prune/quant` makes it.
   */
  readonly modules?: JsonObject;
  /** Default: the first of {@link PYTORCH_LAYOUTS}. */
  readonly layout?: PytorchLayout;
  readonly signal?: AbortSignal;
  /** Called when an entry is written. */
  readonly onEntry?: (name: string) => void;
}

/** A quantized module, or a tensor, whose elements are in the file. */
type StoredEntry =
  | { readonly kind: 'tensor'; readonly tensor: StoredTensor }
  | {
      readonly kind: 'embedding';
      readonly codes: StoredTensor;
      readonly dtype: string;
      readonly quantizer: StoredQuantizer;
    }
  | {
      readonly kind: 'linear';
      readonly output: { readonly scale: StoredTensor; readonly zeroPoint: StoredTensor };
      readonly codes: StoredTensor;
      readonly quantizer: StoredQuantizer;
      readonly bias: StoredTensor | null;
    };

/**
 * Writes the state dict of a model that PyTorch quantized, `torch.save(quantize_dynamic(model).state_dict())`, then
 * commits the sink; aborts it when anything fails. The sink gets the file front to back, a module when it was read: two
 * modules are in memory at most. Integers, scales and the pickle are those of PyTorch. A table of 8 or 4 bits is what
 * `quantize_dynamic` makes of an Embedding with `float_qparams_weight_only_qconfig`, or with its `_4bit`.
 * Throws `unsupported` for a table of 4 bits with an odd number of columns and for dtypes without a storage, `missing`,
 * `limit`, `aborted`.
 */
export async function writeQuantizedPytorch(
  sink: ByteSink,
  quantized: QuantizedStateDict,
  options: WriteQuantizedPytorchOptions = {},
): Promise<void> {
  await writeToSink('writeQuantizedPytorch', sink, async () => {
    checkReadableMap('writeQuantizedPytorch', 'quantized state dict', quantized);
    const { layout = PYTORCH_LAYOUTS[0] } = options;
    const known = PYTORCH_LAYOUTS.includes(layout);
    const layouts = { where: 'writeQuantizedPytorch', what: 'layout', wanted: PYTORCH_LAYOUTS.join(' or ') };
    checkArgument(known, layouts, layout);
    const archive = new TorchArchive(sink);
    const entries: [string, StoredEntry][] = [];
    for await (const [name, entry] of entriesOf(quantized)) {
      checkAborted(options.signal);
      entries.push([name, await storedEntry(archive, name, entry)]);
      options.onEntry?.(name);
    }
    await archive.finish(async (pickle) => writePickle(pickle, entries, layout, options.modules));
  });
}

async function storedEntry(
  archive: TorchArchive,
  name: string,
  entry: QuantizedLinear | QuantizedEmbedding | Tensor,
): Promise<StoredEntry> {
  if (!('kind' in entry)) return { kind: 'tensor', tensor: await archive.tensor(entry, name) };
  return entry.kind === 'linear' ? storedLinear(archive, name, entry) : storedTable(archive, name, entry);
}

async function storedLinear(archive: TorchArchive, name: string, linear: QuantizedLinear): Promise<StoredEntry> {
  const { weight, scales, bias } = linear;
  const stored = (tensor: Tensor) => archive.tensor(tensor, name);
  // Those of a Linear's output, which a dynamic one does not use.
  const output = { scale: await stored(scalar('float32', 1)), zeroPoint: await stored(scalar('int64', 0n)) };
  const codes = await archive.array('QInt8Storage', weight.shape, weight.intRepr);
  const shape = [scales.length];
  const quantizer =
    linear.qscheme === 'per_tensor_affine'
      ? { scale: scales[0] }
      : {
          scales: await archive.array('DoubleStorage', shape, scales),
          zeroPoints: await archive.array('LongStorage', shape, new BigInt64Array(scales.length)),
        };
  return { kind: 'linear', output, codes, quantizer, bias: bias && (await stored(bias)) };
}

async function storedTable(archive: TorchArchive, name: string, table: QuantizedEmbedding): Promise<StoredEntry> {
  const { bits, shape, intRepr, scales, zeroPoints } = table;
  const [rows, columns] = shape;
  if (bits === 4 && columns % 2 !== 0) {
    throw new PruneError('unsupported', {
      what: 'columns of a table of 4 bits',
      got: columns,
      wanted: 'an even number, because torch has two codes a byte',
      tensor: name,
    });
  }
  const storage = bits === 8 ? 'QUInt8Storage' : 'QUInt4x2Storage';
  return {
    kind: 'embedding',
    dtype: bits === 8 ? 'quint8' : 'quint4x2',
    codes: await archive.array(storage, shape, intRepr),
    quantizer: {
      scales: await archive.array('FloatStorage', [rows], scales),
      zeroPoints: await archive.array('FloatStorage', [rows], zeroPoints),
    },
  };
}

function writePickle(
  pickle: PickleWriter,
  entries: readonly (readonly [string, StoredEntry])[],
  layout: PytorchLayout,
  modules: JsonObject | undefined,
): void {
  orderedDict(pickle);
  const items = entries.flatMap(([name, entry]) => itemsOf(pickle, name, entry, layout));
  pickle.setItems(items, ([name, write]) => {
    pickle.text(name);
    write();
  });
  if (modules === undefined) return;
  pickle.build(() => {
    pickle.emptyDict();
    pickle.setItems([modules], (versions) => {
      pickle.shared('_metadata');
      pickleVersions(pickle, versions);
    });
  });
}

/** torch's `_metadata`: what is said of each module, numbers and texts. */
function pickleVersions(pickle: PickleWriter, modules: JsonObject): void {
  orderedDict(pickle);
  pickle.setItems(Object.entries(modules), ([module, versions]) => {
    pickle.text(module);
    pickle.emptyDict();
    pickle.setItems(Object.entries((versions ?? {}) as JsonObject), ([key, value]) => {
      pickle.shared(key);
      if (Number.isSafeInteger(value)) pickle.integer(value as number);
      else pickle.text(String(value));
    });
  });
}

/** An item of the dict: its name, and what writes its value. */
type Item = readonly [name: string, write: () => void];

function itemsOf(pickle: PickleWriter, name: string, entry: StoredEntry, layout: PytorchLayout): readonly Item[] {
  if (entry.kind === 'tensor') return [[name, () => pickleTensor(pickle, entry.tensor)]];
  const { codes, quantizer } = entry;
  const weight = () => pickleQuantized(pickle, codes, quantizer);
  const dtype = (dtype: string): Item => [partName(name, PACKED.dtype), () => pickle.global('torch', dtype)];
  if (entry.kind === 'embedding') return [dtype(entry.dtype), [partName(name, PACKED.table), weight]];
  const bias = () => (entry.bias === null ? pickle.none() : pickleParameter(pickle, entry.bias));
  const { outputScale, outputZeroPoint } = linearNames(name);
  const head: readonly Item[] = [
    [outputScale, () => pickleTensor(pickle, entry.output.scale)],
    [outputZeroPoint, () => pickleTensor(pickle, entry.output.zeroPoint)],
    dtype('qint8'),
  ];
  if (layout === 'current') return [...head, [partName(name, PACKED.pair), () => pickle.tuple(weight, bias)]];
  return [...head, [partName(name, PACKED.weight), weight], [partName(name, PACKED.bias), bias]];
}
