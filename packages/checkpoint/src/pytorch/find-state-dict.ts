import { moduleFinder, PruneError } from '@prune/core';
import { completeLayers } from '../names/complete-layers.js';
import { listed } from '../names/listed.js';
import { isTensorReference, QuantizedReference } from './torch-pickle.js';
import { PickleDict } from './unpickle.js';

/** A state dict within the root of a pickle. */
export interface FoundStateDict {
  readonly dict: unknown;
  /** The keys that lead to it, joined by dots; empty for the root. */
  readonly path: string;
  readonly notes: readonly string[];
}

/** How deep a state dict may lie: Lightning's is in the root, those of training scripts one or two dicts deeper. */
const MAX_DEPTH = 4;

/**
 * The state dict in a pickle's root: the root itself, or the dict in it that has the modules of a model that we know
 * (`{'model': {...}, 'epoch': 3}`, `{'state_dict': ...}`, ...). Dicts are told by what they hold, whatever they are
 * called. Without such modules it is the only dict of tensors. `choice` is the path of the dict to take, or begins with
 * it. Throws `invalid-argument` for a file of several models without a choice, naming them, and for a choice that the
 * file does not have.
 */
export function findStateDict(root: unknown, choice = '', where?: string): FoundStateDict {
  if (!(root instanceof PickleDict)) return { dict: root, path: '', notes: [] };
  const find = moduleFinder();
  const dicts = dictsIn(root);
  const models = dicts.filter(({ dict }) => isModel(dict, find));
  const candidates = models.length > 0 ? models : dicts.filter(({ dict }) => isOnlyTensors(dict));
  if (models[0]?.dict === root || candidates.length === 0) return { dict: root, path: '', notes: [] };
  const found = choose(candidates, find, choice, where);
  const rest = root.keys.filter((key) => key !== found.rootKey).map(String);
  const notes = [`the state dict is "${found.path}" of the file`];
  if (rest.length > 0) notes[0] += `; left out beside it: ${listed(rest)}`;
  return { dict: found.dict, path: found.path, notes };
}

interface Candidate {
  readonly dict: PickleDict;
  readonly path: string;
  /** The first key of the path; `undefined` for the root. */
  readonly rootKey: string | undefined;
}

/** The root and the dicts under it by keys that are strings, each once, those of a depth before deeper ones. */
function dictsIn(root: PickleDict): readonly Candidate[] {
  const found: Candidate[] = [{ dict: root, path: '', rootKey: undefined }];
  const seen = new Set([root]);
  let level: readonly Candidate[] = found;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const next: Candidate[] = [];
    for (const { dict, path, rootKey } of level) {
      dict.keys.forEach((key, i) => {
        const value = dict.values[i];
        if (typeof key !== 'string' || !(value instanceof PickleDict) || seen.has(value)) return;
        seen.add(value);
        next.push({ dict: value, path: path === '' ? key : `${path}.${key}`, rootKey: rootKey ?? key });
      });
    }
    found.push(...next);
    level = next;
  }
  return found;
}

type Find = ReturnType<typeof moduleFinder>;

function isModel({ keys, values }: PickleDict, find: Find): boolean {
  return keys.some(
    (key, i) => typeof key === 'string' && !(values[i] instanceof PickleDict) && find(key)?.part === 'base',
  );
}

/** Whether a dict has tensors alone, under names with a dot, as the parameters of modules have. */
function isOnlyTensors({ keys, values }: PickleDict): boolean {
  const isTensor = (value: unknown) => isTensorReference(value) || value instanceof QuantizedReference;
  const isName = (key: unknown) => typeof key === 'string' && key.includes('.');
  return keys.length > 0 && keys.every(isName) && values.every(isTensor);
}

function choose(candidates: readonly Candidate[], find: Find, choice: string, where?: string): Candidate {
  const called = ({ path }: Candidate) => `"${path}"`;
  if (choice !== '') {
    const found =
      candidates.find(({ path }) => path === choice) ?? candidates.find(({ path }) => choice.startsWith(`${path}.`));
    if (found !== undefined) return found;
    // The choice may be among the names of the only one.
    if (candidates.length === 1) return candidates[0];
    throw new PruneError('invalid-argument', {
      where,
      what: 'the file has no such state dict',
      got: choice,
      wanted: `one of ${listed(candidates.map(called))}`,
    });
  }
  if (candidates.length === 1) return candidates[0];
  const complete = candidates.filter(({ dict }) => completeLayers(modulesOf(dict, find)));
  if (complete.length === 1) return complete[0];
  throw new PruneError('invalid-argument', {
    where,
    what: 'the file has several state dicts',
    got: listed((complete.length > 0 ? complete : candidates).map(called)),
    wanted: 'the option stateDict (--state-dict), which names one of them',
  });
}

function modulesOf({ keys }: PickleDict, find: Find): ReadonlySet<string> {
  const modules = new Set<string>();
  for (const key of keys) {
    const found = typeof key === 'string' ? find(key) : undefined;
    if (found?.part === 'base') modules.add(found.module);
  }
  return modules;
}
