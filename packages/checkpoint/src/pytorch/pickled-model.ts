import {
  EMBEDDING_PARTS,
  INT_REPR,
  isShapeName,
  type JsonObject,
  LINEAR_PARTS,
  outputModuleOf,
  PruneError,
  splitPartName,
} from '@prune/core';
import { NumpyArray, NumpyScalar } from './numpy-pickle.js';
import { PACKED } from './packed-names.js';
import { describe, isTensorReference, QuantizedReference, type TensorReference } from './torch-pickle.js';
import { PickleDict, PickleGlobal, PickleList } from './unpickle.js';

/** A quantized module: the weight of a Linear with its bias, or an embedding table. */
export type ModuleReference =
  | { readonly kind: 'linear'; readonly weight: QuantizedReference; readonly bias: TensorReference | null }
  | { readonly kind: 'embedding'; readonly weight: QuantizedReference };

/** A value of the elementary form as a pickle has it. A number is what its name says: a scale or a zero point. */
export type PickledElementary = TensorReference | NumpyArray | NumpyScalar | number | readonly number[] | string;

/** What the pickle of a model holds, told by its entries. */
export type PickledModel =
  | { readonly stage: 'float'; readonly tensors: ReadonlyMap<string, TensorReference> }
  | {
      readonly stage: 'quantized';
      readonly modules: ReadonlyMap<string, ModuleReference | TensorReference>;
      /** torch's `_metadata`: the version of each module. */
      readonly versions: JsonObject | undefined;
      /** Whether weight and bias have names of their own, as in torch 1.4 and 1.5. */
      readonly flat: boolean;
    }
  | { readonly stage: 'elementary'; readonly values: ReadonlyMap<string, PickledElementary> };

/**
 * The model in a pickle's root, a dict. Throws `unsupported` for what is not a model, `corrupt` for a name that comes
 * twice or a module without its parts.
 */
export function pickledModel(root: unknown): PickledModel {
  const entries = entriesOf(root);
  if ([...entries.keys()].some((name) => name.includes(`${INT_REPR}.`))) {
    return { stage: 'elementary', values: mapValues(entries, elementaryValue) };
  }
  if ([...entries.keys()].some((name) => splitPartName(name) !== undefined)) return quantizedModel(entries, root);
  return { stage: 'float', tensors: mapValues(entries, plainTensor) };
}

/** The tensors of a model by name, those of which it is made included: what has its elements in the file's storages. */
export function tensorsOf(model: PickledModel): Map<string, TensorReference> {
  if (model.stage === 'float') return new Map(model.tensors);
  const tensors = new Map<string, TensorReference>();
  const add = (name: string, tensor: TensorReference) => {
    if (tensors.has(name)) throw new PruneError('corrupt', { what: 'duplicate name in the state dict', tensor: name });
    tensors.set(name, tensor);
  };
  if (model.stage === 'elementary') {
    for (const [name, value] of model.values) if (isTensorReference(value)) add(name, value);
    return tensors;
  }
  for (const [name, module] of model.modules) {
    if (isTensorReference(module)) {
      add(name, module);
      continue;
    }
    const names = moduleTensors(name);
    const { codes, quantizer } = module.weight;
    add(names.codes, codes);
    if (quantizer.qscheme === 'per_channel_affine') {
      add(names.scales, quantizer.scales);
      add(names.zeroPoints, quantizer.zeroPoints);
    }
    if (module.kind === 'linear' && module.bias !== null) add(names.bias, module.bias);
  }
  return tensors;
}

/** What errors and {@link tensorsOf} call the tensors of a quantized module. */
export function moduleTensors(module: string) {
  const weight = `${module}.weight`;
  return { codes: weight, scales: `${weight}.scales`, zeroPoints: `${weight}.zero_points`, bias: `${module}.bias` };
}

function quantizedModel(entries: ReadonlyMap<string, unknown>, root: unknown): PickledModel {
  const modules = new Map<string, ModuleReference | TensorReference>();
  const parts = new Map<string, Map<string, unknown>>();
  for (const [name, value] of entries) {
    const split = splitPartName(name);
    if (split === undefined) continue;
    const known = parts.get(split.module) ?? new Map<string, unknown>();
    parts.set(split.module, known.set(split.part, value));
  }
  let flat = false;
  for (const [name, value] of entries) {
    const module = splitPartName(name)?.module;
    if (module !== undefined) {
      if (modules.has(module)) continue;
      const own = parts.get(module)!;
      flat ||= own.has(PACKED.weight);
      modules.set(module, moduleOf(own, module));
      continue;
    }
    // A dynamic Linear's output has a scale that nothing uses.
    if (parts.has(outputModuleOf(name) ?? '')) continue;
    modules.set(name, plainTensor(value, name));
  }
  return { stage: 'quantized', modules, versions: versionsOf(root), flat };
}

function moduleOf(parts: ReadonlyMap<string, unknown>, module: string): ModuleReference {
  for (const part of parts.keys()) {
    if (!Object.values<string>(PACKED).includes(part)) {
      throw new PruneError('unsupported', { what: 'unknown part of a quantized module', got: part, tensor: module });
    }
  }
  const table = parts.get(PACKED.table);
  if (table instanceof QuantizedReference) return { kind: 'embedding', weight: table };
  const pair = parts.get(PACKED.pair);
  const [weight, bias] = Array.isArray(pair) ? pair : [parts.get(PACKED.weight), parts.get(PACKED.bias) ?? null];
  if (!(weight instanceof QuantizedReference)) {
    const got = describe(table ?? pair ?? weight ?? null);
    const wanted = 'a quantized tensor';
    throw new PruneError('unsupported', { what: 'weight of a quantized module', got, wanted, tensor: module });
  }
  if (bias !== null && !isTensorReference(bias)) {
    throw new PruneError('corrupt', { what: 'bias of a quantized Linear', got: describe(bias), tensor: module });
  }
  return { kind: 'linear', weight, bias };
}

/**
 * `state_dict()._metadata` as JSON: module -> { version }, and the profile that `moduleMetadata` of `@prune/quant` tells
 * the root. Modules without a version are left out.
 */
function versionsOf(root: unknown): JsonObject | undefined {
  const { state } = root as PickleDict;
  const metadata = state instanceof PickleDict ? state.get('_metadata') : undefined;
  if (!(metadata instanceof PickleDict)) return undefined;
  const versions: [string, JsonObject][] = [];
  metadata.keys.forEach((module, i) => {
    const entry = metadata.values[i];
    const version = entry instanceof PickleDict ? entry.get('version') : undefined;
    if (typeof module !== 'string' || typeof version !== 'number') return;
    const profile = module === '' ? (entry as PickleDict).get('profile') : undefined;
    versions.push([module, typeof profile === 'string' ? { version, profile } : { version }]);
  });
  return Object.fromEntries(versions);
}

function elementaryValue(value: unknown, name: string): PickledElementary {
  if (isTensorReference(value) || value instanceof NumpyArray || value instanceof NumpyScalar) return value;
  if (value instanceof PickleGlobal) return value.path.replace(/^torch\./, '');
  if (typeof value === 'string') return value;
  const part = splitPartName(name)?.part;
  const isNumber = part === LINEAR_PARTS.scale || part === LINEAR_PARTS.zeroPoint;
  if (isNumber && typeof value === 'number') return value;
  const list = value instanceof PickleList ? value.items : value;
  if (isShapeName(name) && Array.isArray(list) && list.every((size) => Number.isSafeInteger(size))) return list;
  throw new PruneError('unsupported', {
    what: 'an entry of the elementary form',
    got: describe(value),
    wanted: part === EMBEDDING_PARTS.shape ? 'a tuple of integers' : 'a tensor, a numpy array, a number or a dtype',
    tensor: name,
  });
}

function plainTensor(value: unknown, name: string): TensorReference {
  if (isTensorReference(value)) return value;
  throw new PruneError('unsupported', {
    what: 'an entry of the state dict is no tensor',
    got: value instanceof QuantizedReference ? 'a quantized tensor' : describe(value),
    wanted: 'a state dict alone (torch.save(model.state_dict(), path))',
    tensor: name,
  });
}

/** The named values of a state dict. */
function entriesOf(root: unknown): Map<string, unknown> {
  if (!(root instanceof PickleDict)) {
    throw new PruneError('unsupported', {
      what: 'pickle holds no state dict',
      got: describe(root),
      wanted: 'a dict of tensors',
    });
  }
  const entries = new Map<string, unknown>();
  root.keys.forEach((name, i) => {
    if (typeof name !== 'string') {
      throw new PruneError('corrupt', { what: 'a name in the state dict is no string', got: describe(name) });
    }
    if (entries.has(name)) throw new PruneError('corrupt', { what: 'duplicate name in the state dict', tensor: name });
    entries.set(name, root.values[i]);
  });
  return entries;
}

function mapValues<V>(
  entries: ReadonlyMap<string, unknown>,
  make: (value: unknown, name: string) => V,
): Map<string, V> {
  return new Map([...entries].map(([name, value]) => [name, make(value, name)]));
}
