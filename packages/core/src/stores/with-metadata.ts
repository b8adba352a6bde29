import type { Elementary, ElementaryStateDict, ReadableMap, StateDict } from '../stages/stages.js';
import type { Tensor } from '../tensors/tensor.js';
import type { ModelMetadata } from './metadata.js';

/** What a state dict, float or elementary, may offer besides its names and values. */
type OptionalMembers = Omit<StateDict, keyof ReadableMap<Tensor>> &
  Omit<ElementaryStateDict, keyof ReadableMap<Elementary>>;

/**
 * The tensors of a store, of an open checkpoint or of any other state dict, with metadata of your choice. Every way to
 * read them is kept, so that reading the result is as fast as reading the original. Whoever opened the original
 * closes it.
 */
export function withMetadata<V extends Elementary>(
  tensors: ReadableMap<V> & OptionalMembers,
  metadata: ModelMetadata,
): ReadableMap<V> & Required<OptionalMembers> & { readonly metadata: ModelMetadata } {
  return {
    metadata,
    keys: () => tensors.keys(),
    get: (name) => tensors.get(name),
    info: (name) => tensors.info?.(name),
    pieces: (name) => tensors.pieces?.(name),
    rows: async (name) => tensors.rows?.(name),
    selectRows: async (names, rows, options) => tensors.selectRows?.(names, rows, options),
  };
}
