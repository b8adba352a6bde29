import {
  DEFAULT_LIMITS,
  type FoundModule,
  type JsonObject,
  MODEL_TYPES,
  type ModelFamily,
  modelFamily,
  moduleFinder,
  PruneError,
} from '@prune/core';
import { completeLayers } from './complete-layers.js';
import { listed } from './listed.js';

/** How the names of a file become those of the model. */
export interface ModelNames {
  /** The name of the model, or `undefined` for what is not a part of it. */
  rename(name: string): string | undefined;
  /** One sentence each, see `StagedCheckpoint`. */
  readonly notes: readonly string[];
}

export interface ModelNamesOptions {
  /** For messages. */
  readonly where: string;
  /** The model to take where the file has several: what stands before its names. */
  readonly choice?: string;
}

/**
 * Components that wrappers of modules put anywhere into names; no model that we know has one of them. DataParallel, DDP
 * and SparseML (`module`), torch.compile, FSDP and its activation checkpoints, ORTModule and DeepSpeed, Opacus, NNCF.
 */
const WRAPPERS: ReadonlySet<string> = new Set([
  'module',
  '_orig_mod',
  '_fsdp_wrapped_module',
  '_checkpoint_wrapped_module',
  '_forward_module',
  '_module',
  'nncf_module',
]);

/**
 * What quantization-aware training keeps beside the weights, in a name without {@link WRAPPERS}: NNCF's operations and
 * the scopes that it names with brackets and bars, torch's and SparseML's observers and fake quantizers.
 */
const TRAINING_ONLY =
  /(?:^|\.)(?:_?nncf\w*|pre_ops|post_ops|external_quantizers|external_op|activation|activation_post_process|quant|\w*fake_quant\w*|\w*observer\w*)\.|[|[\]]/;

function isTrainingOnly(name: string): boolean {
  // The pattern takes quadratic time in a long name that repeats one of its words.
  return name.length <= DEFAULT_LIMITS.nameLength && TRAINING_ONLY.test(name);
}

/** Of these, what holds the pruning itself: the weights beside it are those before pruning. */
const PRUNED_OUTSIDE = /(?:mask|importance)$/;

/**
 * How to give a file's names the form of transformers' own: without what wrappers put before them or into them, and
 * without what is not the model's. The model is found by its structure, the modules of the family that config.json
 * says.
 * Throws `invalid-argument` for a file of several models without a `choice`, or a `choice` that it does not have;
 * `unsupported` for weights whose pruning or parametrization is kept apart.
 */
export function modelNames(
  names: readonly string[],
  config: JsonObject | undefined,
  { where, choice = '' }: ModelNamesOptions,
): ModelNames {
  const family = modelFamily(config);
  for (const name of names) refuseParametrized(name, where);
  if (family === undefined) return withoutSharedWrappers(names, choice, where);
  const find = moduleFinder([family]);
  const models = modelsIn(names, find, family);
  const chosen = chooseModel(models, family, choice, where);
  const base = `${MODEL_TYPES.get(family)!.baseModelPrefix}.`;
  const { hasBase, outer } = splitPrefix(chosen.prefix, base);
  const others = [...models.values()]
    .filter((model) => model !== chosen && completeLayers(model.modules, [family]))
    .map(({ prefix }) => splitPrefix(prefix, base).outer || prefix);
  // A head beside the whole wrapped model, not within it: the model gets the prefix of a base model below a head.
  const headOutside = names.some((name) => {
    const found = find(unwrapped(name));
    return found?.part === 'head' && isHeadOf(outer, found.prefix) && found.prefix.length < outer.length;
  });
  const addBase = headOutside && !hasBase ? base : '';

  function rename(original: string): string | undefined {
    const name = unwrapped(original);
    if (isTrainingOnly(name)) return undefined;
    const found = find(name);
    if (found?.part === 'base' && found.prefix === chosen.prefix) return `${addBase}${name.slice(outer.length)}`;
    if (others.some((other) => name.startsWith(other))) return undefined;
    if (found?.part === 'head' && isHeadOf(outer, found.prefix)) return name.slice(found.prefix.length);
    return name.startsWith(outer) ? name.slice(outer.length) : undefined;
  }
  return { rename, notes: notesOf(names, rename, addBase) };
}

interface FoundModel {
  /** What stands before the modules of the base model, its own prefix included. */
  readonly prefix: string;
  readonly modules: Set<string>;
}

/** The base models in a file by the prefix of their names, but for those that have the prefix of another family. */
function modelsIn(
  names: readonly string[],
  find: (name: string) => FoundModule | undefined,
  family: ModelFamily,
): ReadonlyMap<string, FoundModel> {
  const { baseModelPrefix } = MODEL_TYPES.get(family)!;
  const others = new Set([...MODEL_TYPES.values()].map((type) => type.baseModelPrefix));
  others.delete(baseModelPrefix);
  const models = new Map<string, FoundModel>();
  for (const original of names) {
    const name = unwrapped(original);
    const found = isTrainingOnly(name) ? undefined : find(name);
    if (found?.part !== 'base') continue;
    const { prefix, module } = found;
    if (prefix.split('.').some((part) => others.has(part))) continue;
    const model = models.get(prefix) ?? { prefix, modules: new Set() };
    model.modules.add(module);
    models.set(prefix, model);
  }
  return models;
}

function chooseModel(
  models: ReadonlyMap<string, FoundModel>,
  family: ModelFamily,
  choice: string,
  where: string,
): FoundModel {
  const base = `${MODEL_TYPES.get(family)!.baseModelPrefix}.`;
  const called = ({ prefix }: FoundModel) => (splitPrefix(prefix, base).outer || prefix).replace(/\.$/, '');
  const all = [...models.values()];
  const wanted = (found: readonly FoundModel[]) =>
    `one of ${listed(found.map((model) => called(model) || 'the names without a prefix'))}`;
  if (choice !== '') {
    const found = all.find((model) => called(model) === choice || model.prefix === `${choice}.`);
    if (found !== undefined) return found;
    throw new PruneError('invalid-argument', {
      where,
      what: 'the file has no such state dict',
      got: choice,
      wanted: all.length === 0 ? undefined : wanted(all),
    });
  }
  const complete = all.filter(({ modules }) => completeLayers(modules, [family]));
  if (complete.length > 1) {
    const found = complete.map((model) => called(model) || 'one without a prefix');
    throw new PruneError('invalid-argument', {
      where,
      what: 'the file has several models',
      got: found.length === 2 ? found.join(' and ') : listed(found),
      wanted: 'the option stateDict (--state-dict), which names one of them',
    });
  }
  const largest = (a: FoundModel, b: FoundModel) => (b.modules.size > a.modules.size ? b : a);
  return complete[0] ?? all.reduce(largest, { prefix: '', modules: new Set() });
}

/** What wrappers put before the names, and whether the base model's own prefix follows it. */
function splitPrefix(prefix: string, base: string): { readonly hasBase: boolean; readonly outer: string } {
  const hasBase = prefix === base || prefix.endsWith(`.${base}`);
  return { hasBase, outer: hasBase ? prefix.slice(0, -base.length) : prefix };
}

/** Whether a head with this prefix stands beside a wrapped model, or beside the wrapper. */
function isHeadOf(outer: string, prefix: string): boolean {
  return outer.startsWith(prefix);
}

/** Without the components that no model has. */
function unwrapped(name: string): string {
  if (!name.includes('mod')) return name;
  const parts = name.split('.');
  return parts.some((part) => WRAPPERS.has(part)) ? parts.filter((part) => !WRAPPERS.has(part)).join('.') : name;
}

/** For an architecture whose modules we do not know: only wrappers, and only those that all names begin with. */
function withoutSharedWrappers(names: readonly string[], choice: string, where: string): ModelNames {
  if (choice !== '') {
    throw new PruneError('invalid-argument', {
      where,
      what: 'the file has no such state dict',
      got: choice,
      wanted: 'a config.json that says the architecture, where several models lie side by side',
    });
  }
  const first = names.length === 0 ? [] : names[0].split('.');
  let shared = '';
  for (const part of first.slice(0, -1)) {
    const longer = `${shared}${part}.`;
    if (!WRAPPERS.has(part) || !names.every((name) => name.startsWith(longer))) break;
    shared = longer;
  }
  const rename = (name: string) => (name.startsWith(shared) ? name.slice(shared.length) : name);
  return { rename, notes: notesOf(names, rename, '') };
}

function notesOf(
  names: readonly string[],
  rename: (name: string) => string | undefined,
  addBase: string,
): readonly string[] {
  const changed: string[] = [];
  const leftOut: string[] = [];
  for (const name of names) {
    const renamed = rename(name);
    if (renamed === undefined) leftOut.push(name);
    else if (renamed !== name) changed.push(`${name} is ${renamed}`);
  }
  const notes: string[] = [];
  if (changed.length > 0) {
    const added = addBase === '' ? '' : `, and "${addBase}" is put before those of the base model`;
    const of = `${changed.length} of ${names.length} names`;
    notes.push(`what wraps the model is removed from ${of}${added}: ${changed[0]}`);
  }
  if (leftOut.length > 0) {
    notes.push(
      `${leftOut.length} of ${names.length} tensors are left out, they are not the model's: ${listed(leftOut)}`,
    );
  }
  return notes;
}

function refuseParametrized(name: string, where: string): void {
  if (/(?:^|\.)parametrizations\./.test(name)) {
    throw new PruneError('unsupported', {
      where,
      what: 'a parametrization of torch computes this weight',
      wanted: 'the weight itself (torch.nn.utils.parametrize.remove_parametrizations)',
      tensor: name,
    });
  }
  if (isTrainingOnly(unwrapped(name)) && PRUNED_OUTSIDE.test(name)) {
    throw new PruneError('unsupported', {
      where,
      what: 'the pruning is kept beside the weights, which are those before it',
      wanted: 'the pruned weights themselves (nncf.strip)',
      tensor: name,
    });
  }
}
