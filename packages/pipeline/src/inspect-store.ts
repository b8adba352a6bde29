import { maskBounds, recomposeSparse, valueEntropy } from '@prune/csr';
import { profileOf } from '@prune/quant';
import { checkAborted, entriesOf, type QuantizationProfile, type TensorStore } from '@prune/state-dict';

/** A sparse matrix of a store. */
export interface InspectedMatrix {
  /** The module, e.g. `bert.encoder.layer.0.attention.self.query`. */
  readonly name: string;
  readonly shape: readonly [rows: number, columns: number];
  readonly nonzeros: number;
  /** nonzeros / cells */
  readonly density: number;
  readonly qscheme: 'per_tensor_affine' | 'per_channel_affine';
  /** Bytes of its CSR arrays in the file. */
  readonly storedBytes: number;
  /** Bits: of its mask when the nonzeros of every row and column are known, of its values coded one by one. */
  readonly bound: { readonly maskBits: number; readonly valueBits: number };
}

/** One entry of a store. */
export interface InspectedEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly codec: string;
  readonly storedBytes: number;
}

/** What `prune inspect` shows. */
export interface Inspection {
  readonly file: string;
  readonly fileBytes: number;
  readonly architecture: string | undefined;
  readonly profile: QuantizationProfile;
  readonly tokenizerFiles: readonly string[];
  readonly matrices: readonly InspectedMatrix[];
  readonly entries: readonly InspectedEntry[];
}

const CSR_PARTS = ['data', 'indices', 'indptr'].map((part) => `._packed_params.weight.int_repr.${part}`);

/** Reads every matrix once to count and bound it; nothing is densified. */
export async function inspectStore(
  store: TensorStore,
  file: { readonly path: string; readonly bytes: number },
  signal?: AbortSignal,
): Promise<Inspection> {
  const entries = [...store.keys()].map((name) => {
    const { dtype, shape, codec, storedBytes } = store.info(name)!;
    return { name, dtype, shape, codec, storedBytes };
  });
  const matrices: InspectedMatrix[] = [];
  for await (const [name, value] of entriesOf(recomposeSparse(store))) {
    checkAborted(signal);
    if (!('kind' in value) || value.kind !== 'linear') continue;
    const [rows, columns] = value.weight.shape;
    const nonzeros = value.weight.data.length;
    matrices.push({
      name,
      shape: [rows, columns],
      nonzeros,
      density: nonzeros / (rows * columns),
      qscheme: value.qscheme,
      storedBytes: CSR_PARTS.reduce((sum, part) => sum + (store.info(name + part)?.storedBytes ?? 0), 0),
      bound: { maskBits: maskBounds(value.weight).rowsAndColumns, valueBits: valueEntropy(value.weight.data) },
    });
  }
  const architectures = store.metadata.config?.architectures;
  return {
    file: file.path,
    fileBytes: file.bytes,
    architecture: Array.isArray(architectures) ? String(architectures[0]) : undefined,
    profile: profileOf(store.metadata),
    tokenizerFiles: [...(store.metadata.files?.keys() ?? [])],
    matrices,
    entries,
  };
}
