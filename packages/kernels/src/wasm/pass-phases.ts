import type { Batch } from '../spec/check-batch.js';
import { type INPUT_PHASES, type LAYER_PHASES, LINEARS } from './layout.js';
import type { BatchPlan } from './plan-batch.js';

export type PhaseKind = (typeof INPUT_PHASES | typeof LAYER_PHASES)[number];

/** A phase of a pass: items that threads take one by one, and that do not depend on each other. */
export interface Phase {
  readonly kind: PhaseKind;
  readonly items: number;
  /**
   * The work of each thread when all share the first `items` items. Its unit differs between kinds: phases of one kind
   * take time in proportion to their work, whatever the batch and the layer.
   */
  workOf(items: number): number;
}

/** The Linears of a layer, in the order of LINEARS. */
export interface LayerSize {
  readonly linears: readonly { readonly columns: number; readonly streamBytes: number }[];
}

/** What a pass does. */
export interface PassSize {
  readonly hidden: number;
  readonly heads: number;
  readonly layers: readonly LayerSize[];
  readonly threads: number;
  /** Whether the input of the first layer and the output of every layer are stored, or only the last output. */
  readonly keepsAll: boolean;
}

/** All phases of a pass, in the order of INPUT_PHASES and then, for each layer, of LAYER_PHASES. */
export function passPhases(
  { lengths, keyLengths }: Pick<Batch, 'lengths' | 'keyLengths'>,
  { tiles, parts }: Pick<BatchPlan['fields'], 'tiles' | 'parts'>,
  { hidden, heads, layers, threads, keepsAll }: PassSize,
): Phase[] {
  const even = (kind: PhaseKind, items: number, work: number): Phase => ({
    kind,
    items,
    workOf: (count) => (count / items) * (work / threads),
  });
  const ofTiles = (kind: PhaseKind, wanted = true) => even(kind, wanted ? tiles : 0, tiles * hidden);
  const size = hidden / heads;
  const products = productsOf(lengths, keyLengths);
  const phases = [ofTiles('load'), ofTiles('store', keepsAll)];
  layers.forEach(({ linears }, layer) => {
    // A Linear quantizes the columns of a tile, then reads its stream.
    const linear = (kind: PhaseKind, ...names: (typeof LINEARS)[number][]) => {
      const used = names.map((name) => linears[LINEARS.indexOf(name)]);
      const bytes = used.reduce((sum, { streamBytes }) => sum + streamBytes, used[0].columns);
      return even(kind, tiles * parts, tiles * bytes);
    };
    const layerHeads = linears[LINEARS.indexOf('attentionOutput')].columns / size;
    phases.push(
      linear('queryKeyValue', 'query', 'key', 'value'),
      {
        kind: 'attention',
        items: lengths.length * layerHeads,
        workOf: (items) => {
          const sequence = Math.floor(items / layerHeads);
          const [begin, end = begin] = products.subarray(sequence);
          return ((begin * layerHeads + (end - begin) * (items % layerHeads)) * size) / threads;
        },
      },
      linear('attentionOutput', 'attentionOutput'),
      ofTiles('attentionNorm'),
      linear('intermediate', 'intermediate'),
      linear('output', 'output'),
      ofTiles('outputNorm'),
      ofTiles('store', keepsAll || layer === layers.length - 1),
    );
  });
  return phases;
}

/**
 * For each sequence the scores that a head computes for those before it, and last for all; 1 for a sequence of none.
 */
function productsOf(lengths: ArrayLike<number>, keyLengths: ArrayLike<number>): Float64Array {
  const before = new Float64Array(lengths.length + 1);
  for (let s = 0; s < lengths.length; s++) before[s + 1] = before[s] + Math.max(1, lengths[s] * keyLengths[s]);
  return before;
}
