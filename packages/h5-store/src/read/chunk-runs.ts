/** A run of elements that lie together both in a chunk and in its tensor: where it begins in each, and how many they are. */
type Visit = (inChunk: number, inTensor: number, length: number) => void;

/** How a tensor's row-major elements are divided into chunks. */
export interface ChunkGrid {
  /** Elements of every chunk; one at an end of the tensor is stored whole. */
  readonly chunkLength: number;
  /** Whether every chunk is one run. */
  readonly oneRun: boolean;
  /** The runs of the chunk after the last one that was asked for, in row-major order of the chunks. */
  nextRuns(visit: Visit): void;
}

/** The chunks of shape `chunk` of a tensor of `shape`; both have a rank of at least 1. */
export function chunkGrid(shape: readonly number[], chunk: readonly number[]): ChunkGrid {
  const rank = shape.length;
  const offset = shape.map(() => 0);
  // Dimensions behind `inner` are whole in a chunk, so that a run goes on over them.
  let inner = rank - 1;
  while (inner > 0 && chunk[inner] === shape[inner]) inner--;
  const chunkStride = strides(chunk);
  const tensorStride = strides(shape);
  return {
    chunkLength: chunk[0] * chunkStride[0],
    oneRun: chunk.slice(0, inner).every((dimension) => dimension === 1),
    nextRuns(visit) {
      const extent = chunk.map((dimension, d) => Math.min(dimension, shape[d] - offset[d]));
      const length = extent[inner] * tensorStride[inner];
      const place = new Array<number>(inner).fill(0);
      let from = 0;
      let to = offset.reduce((sum, index, d) => sum + index * tensorStride[d], 0);
      for (let d = inner; d >= 0; ) {
        visit(from, to, length);
        // The next place in the dimensions in front of the run.
        for (d = inner - 1; d >= 0; d--) {
          from += chunkStride[d];
          to += tensorStride[d];
          if (++place[d] < extent[d]) break;
          from -= extent[d] * chunkStride[d];
          to -= extent[d] * tensorStride[d];
          place[d] = 0;
        }
      }
      for (let d = rank - 1; d >= 0; d--) {
        offset[d] += chunk[d];
        if (offset[d] < shape[d]) break;
        offset[d] = 0;
      }
    },
  };
}

/** Elements between neighbours of each dimension. */
function strides(shape: readonly number[]): number[] {
  const made = shape.map(() => 1);
  for (let d = shape.length - 2; d >= 0; d--) made[d] = made[d + 1] * shape[d + 1];
  return made;
}
