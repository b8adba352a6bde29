import {
  CSR_ARRAY_DTYPES,
  type Dtype,
  type Elementary,
  type ElementaryStateDict,
  EMBEDDING_PARTS,
  LINEAR_PARTS,
  outputModuleOf,
  partName,
  type ReadableMap,
  splitPartName,
} from '@prune/core';
import { type IntegerDtype, isIntegerDtype, toIntegerDtype } from './to-integer-dtype.js';

/**
 * The dtypes that the notebook writes the integers of a module in, except the codes; a part in another one gets the
 * last.
 */
const DTYPES_OF_PARTS: ReadonlyMap<string, readonly IntegerDtype[]> = new Map<string, readonly IntegerDtype[]>([
  [LINEAR_PARTS.indices, CSR_ARRAY_DTYPES.indices],
  [LINEAR_PARTS.indptr, CSR_ARRAY_DTYPES.indptr],
  [LINEAR_PARTS.shape, ['int64']],
  [LINEAR_PARTS.zeroPoint, ['int64']],
  [EMBEDDING_PARTS.shape, ['int64']],
]);

/**
 * The entries of the notebook's elementary form, their integers in the dtypes of the notebook: what a copy of a model
 * is written from. `get` throws `corrupt` for a value that does not fit.
 */
export function withNotebookDtypes(elementary: Pick<ElementaryStateDict, 'keys' | 'get'>): ReadableMap<Elementary> {
  const names = new Set(elementary.keys());
  const dtypesOf = (name: string): readonly Dtype[] | undefined => {
    const part = splitPartName(name)?.part;
    if (part !== undefined) return DTYPES_OF_PARTS.get(part);
    const module = outputModuleOf(name);
    const ofOutput = module !== undefined && name === `${module}.zero_point`;
    return ofOutput && names.has(partName(module, LINEAR_PARTS.data)) ? ['int64'] : undefined;
  };
  return {
    keys: () => names,
    async get(name) {
      const value = await elementary.get(name);
      const wanted = dtypesOf(name);
      if (wanted === undefined || typeof value !== 'object') return value;
      if (wanted.includes(value.dtype) || !isIntegerDtype(value.dtype)) return value;
      return toIntegerDtype(value, wanted.at(-1) as IntegerDtype, name);
    },
  };
}
