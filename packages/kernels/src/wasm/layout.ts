import type { QuantizationProfile } from '@prune/core';
import type { Activation, EncoderLayer, LayerNormParameters } from '../spec/encoder-spec.js';
import { struct } from './struct.js';
import type { StructValues } from './write-struct.js';

// Where everything is in the memory that the host and the kernels share. This file is the only place that says so: the
// host imports it, and `npm run build:wasm` writes assembly/generated/layout.ts from it, which the kernels import.
// Numbers are little-endian.
//
//     0     CONSTANTS  numbers that the kernels load instead of building them in every loop
//     1024  PLAN       what the current job is and where its data is
//     2048  CONTROL    the words by which threads wait for each other, the job's number and its fault
//     4096  weights    streams, biases and LayerNorm parameters, then a table of LAYERs; the host writes them once
//     ...   batch      SEQUENCEs, the token map, the caller's array, activations, PUBLISHED_RANGEs, ITEMS, and a
//                      SCRATCH for each thread; plan-batch.ts places them for each batch
//
// Activations are float32 [tile][feature][LANES]: a tile holds LANES tokens, and the row of a feature holds one number
// for each of them. A sequence starts at a multiple of VECTOR_LANES. The lanes between two sequences repeat the last
// token of the first one, so that ranges need no masks and no vector straddles two sequences. A quantized tile is bytes
// [feature][LANES], in an order of tokens that assembly/quantize.ts describes.
//
// A vector has 16 bytes, four float32. The multiples of 16 in the kernels are vectors, not part of this layout.

/** Tokens of a tile. */
export const LANES = 32;
/** Tokens of a vector. */
export const VECTOR_LANES = 4;
/** Bytes of a feature's row of float32, or of int32 sums, in a tile. */
export const ROW_BYTES = Float32Array.BYTES_PER_ELEMENT * LANES;
/** Bytes of a feature's row in a quantized tile. */
export const CODE_ROW_BYTES = Uint8Array.BYTES_PER_ELEMENT * LANES;
/** The host places everything from the weights on at multiples of this. */
export const CACHE_LINE_BYTES = 64;

// What a plan or a table names, it names by the index in one of these lists.

export const PROFILES = [
  'fbgemm',
  'fbgemm-1.5',
  'qnnpack',
  'onnxruntime',
] as const satisfies readonly QuantizationProfile[];
export const ACTIVATIONS = ['gelu', 'gelu_new', 'relu'] as const satisfies readonly Activation[];
/** The weights of a Linear: sparse int8 or sparse float32. */
export const LINEAR_KINDS = ['int8', 'float'] as const;
/** What was not finite, if anything. */
export const FAULTS = ['none', 'input', 'activation'] as const;

/**
 * Numbers that kernels use, each in all lanes of a vector. An array here is that many vectors. write-constants.ts has the
 * values.
 */
export const CONSTANTS = struct({
  log2E: 'f32x4',
  expC: ['f32x4', 5],
  magic: 'f32x4',
  tMax: 'f32x4',
  tMin: 'f32x4',
  one: 'f32x4',
  geluP: ['f32x4', 6],
  half: 'f32x4',
  tanhScale: 'f32x4',
  tanhCube: 'f32x4',
  absMask: 'i32x4',
  low16: 'i32x4',
  /** int16 1, 0, 1, 0, ... */
  even16: 'i32x4',
  /** The high half of a float64 whose low half is a sum: see assembly/linear.ts. */
  float64High: 'i32x4',
  /** The high byte of each 16 bits. */
  high8: 'i32x4',
  float64Offset: 'f64x2',
});

/** What the host writes before each job. Fields without a comment are counts, or addresses of activations in tiles. */
export const PLAN = struct(
  {
    tiles: 'i32',
    lanes: 'i32',
    hidden: 'i32',
    /** Of a layer that no head was pruned from; `hidden / heads` are the features of every head. */
    heads: 'i32',
    /** An index of ACTIVATIONS. */
    activation: 'i32',
    rowwise: 'bool',
    /** Whether attention computes with operands of 16 bits. */
    int16: 'bool',
    /** An index of PROFILES. */
    profile: 'i32',
    threads: 'i32',
    /** The job computes the phases [firstPhase, endPhase) of the pass. */
    firstPhase: 'i32',
    endPhase: 'i32',
    /** Into how many parts the rows of a matrix are divided for each tile, so that threads can share it. */
    parts: 'i32',
    /** Address of the table of LAYERs. */
    layers: 'i32',
    /** Address of the list of SEQUENCEs. */
    sequences: 'i32',
    /** Address of int32 [lanes]: the token that each lane computes. */
    tokenMap: 'i32',
    /** Address of float32 [tokens][hidden]: the caller's array, input and output. */
    io: 'i32',
    hiddenStates: 'i32',
    /** In each tile the features of query, key and value, one after the other. */
    qkv: 'i32',
    context: 'i32',
    middle: 'i32',
    expanded: 'i32',
    /** Address of the PUBLISHED_RANGEs [layers + 1][RANGES][threads]; those of all threads take `rangeStride` bytes. */
    ranges: 'i32',
    /** Address of the ITEMS of the pass's phases. */
    items: 'i32',
    /** Address of the first thread's SCRATCH. Each further one is `scratchStride` bytes after the one before. */
    scratch: 'i32',
    scratchStride: 'i32',
    /** The epsilon of every LayerNorm. */
    eps: 'f32',
    /** What attention multiplies queries with. */
    queryScale: 'f32',
    /** Whether the relaxed multiply-add rounds once here. */
    fused: 'bool',
    /** The keys of the sequence that has the most. */
    maxKeys: 'i32',
    /** How often a thread looks before it sleeps. */
    spins: 'i32',
    rangeStride: 'i32',
    /** Whether the caller's thread may sleep. */
    mainWaits: 'bool',
    /** Addresses of the parameters of a LayerNorm over what is loaded, or 0. */
    inputWeight: 'i32',
    inputBias: 'i32',
    /** Whether weight streams hold QUADs, and quantized tiles are in the order that these need. */
    dot4: 'bool',
  },
  { at: 1024 },
);

/** What the host says in a plan. */
export type Plan = StructValues<typeof PLAN>;

/** The words that several threads write. Each has cache lines of its own. */
export const CONTROL = struct(
  {
    /** How many threads have arrived at the barrier. */
    barrierCount: 'i32',
    /** How often all of them have. */
    barrierTurn: 'i32',
    /** How many sleep until they have. */
    barrierSleepers: 'i32',
    /** Counts jobs. LAST_JOB ends the workers. */
    job: 'i32',
    /** An index of FAULTS. */
    fault: 'i32',
    /** 1 more than the thread that gave this memory up, because a thread died in it; 0 while all is well. */
    abandonedBy: 'i32',
  },
  { at: 2048, align: 2 * CACHE_LINE_BYTES },
);
export const LAST_JOB = -1;

/** Where the weights begin. */
export const FIRST_FREE = 4096;

// The table of layers.

/** The Linears of a layer in the table's order. Kernels rely on query, key and value being the first three. */
export const LINEARS = [
  'query',
  'key',
  'value',
  'attentionOutput',
  'intermediate',
  'output',
] as const satisfies readonly (keyof EncoderLayer)[];
/** The LayerNorms of a layer in the table's order. */
export const NORMS = ['attentionNorm', 'outputNorm'] as const satisfies readonly (keyof EncoderLayer)[];
/** The parameters of a LayerNorm in the table's order. */
export const NORM_PARAMETERS = ['weight', 'bias'] as const satisfies readonly (keyof LayerNormParameters)[];

/** A Linear in the table. */
export const LINEAR = struct(
  {
    /** An index of LINEAR_KINDS. */
    kind: 'i32',
    rows: 'i32',
    columns: 'i32',
    /** Blocks of columns, each with a stream of its own, and the columns of each but the last. */
    blocks: 'i32',
    blockColumns: 'i32',
    /** Address of uint32 [blocks][chunks]: the address at which each chunk of rows begins in its stream. */
    starts: 'i32',
    /** Address of float32 [rows], for a float Linear; -0 where it has no bias: x + -0 is x for every x, -0 too. */
    bias: 'i32',
    /** Chunks of rows, the units in which threads share a matrix, and the rows of each but the last. */
    chunks: 'i32',
    chunkRows: 'i32',
    /** Whether float32 holds every sum exactly, whatever the activations are: all are below 2^24. */
    smallSums: 'bool',
  },
  { multiple: 16 },
);

/** A layer in the table. */
export const LAYER = struct({
  linears: [LINEAR, LINEARS.length],
  /** Addresses [NORMS][NORM_PARAMETERS] of float32 [hidden]. */
  norms: ['i32', NORMS.length * NORM_PARAMETERS.length],
});

// The weight stream of an int8 Linear has one part for each block of columns. A part holds, for each row, a ROW_HEADER
// and either groups, each a GROUP and its PAIRs, or QUADs. A nonzero names its feature by the offset of the feature's
// row in the quantized tile: (column - first column of the block) * CODE_ROW_BYTES. assembly/sparse.ts proves the
// bounds on groups, row-writer.ts deals nonzeros to groups.

/** Rows of a matrix that are computed together. Threads share a matrix of one block in chunks of this many rows. */
export const CHUNK = 16;

export const ROW_HEADER = struct({
  /** Which row it is. */
  row: 'i32',
  /** The sum of all its weights, in other blocks too. */
  sum: 'i32',
  /** The scale of its weights. */
  scale: 'f32',
  /** -0 where there is no bias: x + -0 is x for every x. */
  bias: 'f32',
  /** Groups of negative weights, which come first and hold magnitudes; 0 where weights are signed. */
  minusGroups: 'u16',
  /** Groups that follow those, or QUADs. */
  plusGroups: 'u16',
});

export const GROUP = struct({
  /** Bytes of the PAIRs that follow. There is at least one. */
  pairBytes: 'u16',
});

/** Two nonzeros. A single one is paired with a weight of 0. */
export const PAIR = struct({ first: 'u16', second: 'u16', weights: ['i8', 2] });

/** Four nonzeros, for an instruction that sums four products in int32. Weights of 0 fill up the last one of a row. */
export const QUAD = struct({ first: 'u16', second: 'u16', third: 'u16', fourth: 'u16', weights: ['i8', 4] });

// The weight stream of a float Linear holds, for each row, a FLOAT_ROW_HEADER and FLOAT_WEIGHTs.

export const FLOAT_ROW_HEADER = struct({
  /** How many weights follow. */
  count: 'i32',
});

export const FLOAT_WEIGHT = struct({
  /** The offset of the feature's row in a tile: column * ROW_BYTES. */
  offset: 'i32',
  value: 'f32',
});

// What a batch needs.

/** A sequence in the list. Its first `keys` tokens are attended to. */
export const SEQUENCE = struct({ firstLane: 'i32', tokens: 'i32', keys: 'i32' });

/** A thread's range of a tensor: the bits of its largest and smallest float32, as assembly/range.ts keeps them. */
export const PUBLISHED_RANGE = struct({ high: 'i32', low: 'u32' });
/** The tensors of a layer that are quantized, so that their ranges are kept. `hidden` is the layer's input. */
export const RANGES = ['hidden', 'context', 'middle', 'expanded'] as const;

// A pass is a list of phases: those of the input, then those of each layer. A phase ends when all threads are done with
// it, and its results are in the batch's memory. So a job may be any part of the list, a part of a phase too, and
// nothing has to stay in the threads from one job to the next.

/** The phases of the input. `store` writes what goes into the first layer to `io`, where the caller wants to see it. */
export const INPUT_PHASES = ['load', 'store'] as const;
/**
 * The phases of a layer. `store` writes the output to `io`, where it is the last layer's or the caller wants to see it.
 */
export const LAYER_PHASES = [
  'queryKeyValue',
  'attention',
  'attentionOutput',
  'attentionNorm',
  'intermediate',
  'output',
  'outputNorm',
  'store',
] as const;
/** The phases of a pass before its first layer. */
export const FIRST_LAYER_PHASE = INPUT_PHASES.length;

/** Which items of a phase the job computes: [first, end). Threads take them one by one. */
export const ITEMS = struct({
  first: 'i32',
  end: 'i32',
  /** How many of them threads have asked for. */
  taken: 'i32',
});

/** The range that a thread has seen so far in a phase: two vectors for each end. A divided phase goes on with it. */
export const RUNNING_RANGE = struct({ high: ['i32', 8], low: ['u32', 8] });

/** The fixed part of a thread's scratch. After it comes the quantized tile of a Linear, or what attention needs. */
export const SCRATCH = struct(
  {
    /** Intermediate results of a row. */
    rowResults: ['f32', LANES],
    /** Addresses of the ROW_HEADERs of the rows that are computed together. */
    headers: ['i32', CHUNK],
    range: [RUNNING_RANGE, 1],
    // For activations that are quantized row by row: numbers of each token.
    tokenInverse: ['f32', LANES],
    tokenScale: ['f32', LANES],
    tokenZero: ['i32', LANES],
    /** For the wide quantizer: zero points less the bits of the constant `magic`. */
    wideZero: ['i32', LANES],
    /** Counts the thread's steps, so that the host can tell a thread that is slow from one that died. */
    steps: 'i32',
  },
  { align: ROW_BYTES, multiple: ROW_BYTES },
);

// Attention takes one head of one sequence at a time, and a block of its queries at a time. Its part of the scratch:
//
//     scores   f32 or i16 pairs [keys + SPARE_SCORE_ROWS][block]: 4 KB for 128 keys and 8 queries, which stay in the L1
//     queries  f32 [size][block], or i16 pairs [size / 2][block]
//     keys     f32 [keys / 4][size][4], or i16 pairs of features [keys / 4][size / 2][4]
//     values   f32 [size / 4][keys][4], or i16 pairs of keys [size / 4][keys / 2][4]
//     units    for i16 only, f32 [keys]: what a code of each key is worth. Keys and values leave the room, because as
//              i16 they are half as large.
//
// Keys and values are read from end to end.

/** Queries of a block, and of the largest block of the wide build. */
export const QUERY_BLOCK = 8;
export const WIDE_QUERY_BLOCK = 16;
/** Rows after the scores, for keys that fill up the last vector, for sums and for results. */
export const SPARE_SCORE_ROWS = 8;
/** There is room for keys up to the next multiple of this. */
export const KEYS_MULTIPLE = 8;
