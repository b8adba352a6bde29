import type { JsonObject } from '@prune/core';
import { originalNames } from './names/original-names.js';
import { renameCheckpoint } from './names/rename-checkpoint.js';
import type { StagedCheckpoint } from './staged-checkpoint.js';
import { withPrunedWeights } from './with-pruned-weights.js';

/**
 * An open checkpoint under the names that transformers has (`withTransformersNames`), whatever its stage, with the
 * masks of `torch.nn.utils.prune` applied (`withPrunedWeights`). `notes` says what was changed. `stateDict` names
 * the model to take where the file has several, and is the one that the file was opened with. Throws what these two
 * throw, and `invalid-argument` for a `stateDict` that the file does not have.
 */
export function nameStaged(checkpoint: StagedCheckpoint, config?: JsonObject, stateDict?: string): StagedCheckpoint {
  const choice = choiceWithin(checkpoint.stateDict, stateDict);
  if (checkpoint.stage === 'float') {
    const pruned = withPrunedWeights(checkpoint.tensors);
    const { tensors, notes } = renameCheckpoint(pruned.tensors, config, choice);
    return { ...checkpoint, tensors, notes: [...checkpoint.notes, ...pruned.notes, ...notes] };
  }
  const values = checkpoint.stage === 'quantized' ? checkpoint.quantized : checkpoint.elementary;
  const options = { where: checkpoint.name, choice };
  const { originalOf, rename, notes } = originalNames([...values.keys()], config, options);
  const common = { notes: [...checkpoint.notes, ...notes] };
  const keys = () => originalOf.keys();
  const original = (name: string) => originalOf.get(name);
  if (checkpoint.stage === 'elementary') {
    const { elementary } = checkpoint;
    const get = (name: string) => (original(name) === undefined ? undefined : elementary.get(original(name)!));
    return { ...checkpoint, ...common, elementary: { keys, get } };
  }
  const { quantized, modules } = checkpoint;
  const get = async (name: string) => (original(name) === undefined ? undefined : quantized.get(original(name)!));
  return {
    ...checkpoint,
    ...common,
    quantized: { keys, get },
    ...(modules && { modules: renamedModules(modules, rename) }),
  };
}

/** What of the wanted path is left for the names, once a dict of the file was found by its beginning. */
function choiceWithin(found: string | undefined, wanted: string | undefined): string | undefined {
  if (wanted === undefined || found === undefined || found === '') return wanted;
  if (wanted === found) return undefined;
  return wanted.startsWith(`${found}.`) ? wanted.slice(found.length + 1) : wanted;
}

/** The versions of the modules. The modules that wrap the model are not part of it. */
function renamedModules(modules: JsonObject, rename: (name: string) => string | undefined): JsonObject {
  const renamed: [string, unknown][] = [];
  for (const [module, entry] of Object.entries(modules)) {
    const name = module === '' ? '' : rename(module);
    if (name !== undefined && (name === '') === (module === '')) renamed.push([name, entry]);
  }
  return Object.fromEntries(renamed);
}
