// Made by scripts/build-wasm.mjs from src/wasm/layout.ts, which says what everything is; do not edit.

export const LANES: i32 = 32;
export const ROW_BYTES: i32 = 128;
export const CODE_ROW_BYTES: i32 = 32;
export const CACHE_LINE_BYTES: i32 = 64;

export const PROFILE_FBGEMM: i32 = 0;
export const PROFILE_FBGEMM_1_5: i32 = 1;
export const PROFILE_QNNPACK: i32 = 2;
export const PROFILE_ONNXRUNTIME: i32 = 3;

export const ACTIVATION_GELU: i32 = 0;
export const ACTIVATION_GELU_NEW: i32 = 1;
export const ACTIVATION_RELU: i32 = 2;

export const LINEAR_KIND_INT8: i32 = 0;
export const LINEAR_KIND_FLOAT: i32 = 1;

export const FAULT_NONE: i32 = 0;
export const FAULT_INPUT: i32 = 1;
export const FAULT_ACTIVATION: i32 = 2;

export const LOG2_E: i32 = 0;
export const EXP_C: i32 = 1;
export const MAGIC: i32 = 6;
export const T_MAX: i32 = 7;
export const T_MIN: i32 = 8;
export const ONE: i32 = 9;
export const GELU_P: i32 = 10;
export const HALF: i32 = 16;
export const TANH_SCALE: i32 = 17;
export const TANH_CUBE: i32 = 18;
export const ABS_MASK: i32 = 19;
export const LOW16: i32 = 20;
export const EVEN16: i32 = 21;
export const FLOAT64_HIGH: i32 = 22;
export const HIGH8: i32 = 23;
export const FLOAT64_OFFSET: i32 = 24;

@inline export function planTiles(): i32 { return load<i32>(1024); }
@inline export function planLanes(): i32 { return load<i32>(1028); }
@inline export function planHidden(): i32 { return load<i32>(1032); }
@inline export function planHeads(): i32 { return load<i32>(1036); }
@inline export function planActivation(): i32 { return load<i32>(1040); }
@inline export function planRowwise(): bool { return load<i32>(1044) != 0; }
@inline export function planInt16(): bool { return load<i32>(1048) != 0; }
@inline export function planProfile(): i32 { return load<i32>(1052); }
@inline export function planThreads(): i32 { return load<i32>(1056); }
@inline export function planFirstPhase(): i32 { return load<i32>(1060); }
@inline export function planEndPhase(): i32 { return load<i32>(1064); }
@inline export function planParts(): i32 { return load<i32>(1068); }
@inline export function planLayers(): i32 { return load<i32>(1072); }
@inline export function planSequences(): i32 { return load<i32>(1076); }
@inline export function planTokenMap(): i32 { return load<i32>(1080); }
@inline export function planIo(): i32 { return load<i32>(1084); }
@inline export function planHiddenStates(): i32 { return load<i32>(1088); }
@inline export function planQkv(): i32 { return load<i32>(1092); }
@inline export function planContext(): i32 { return load<i32>(1096); }
@inline export function planMiddle(): i32 { return load<i32>(1100); }
@inline export function planExpanded(): i32 { return load<i32>(1104); }
@inline export function planRanges(): i32 { return load<i32>(1108); }
@inline export function planItems(): i32 { return load<i32>(1112); }
@inline export function planScratch(): i32 { return load<i32>(1116); }
@inline export function planScratchStride(): i32 { return load<i32>(1120); }
@inline export function planEps(): f32 { return load<f32>(1124); }
@inline export function planQueryScale(): f32 { return load<f32>(1128); }
@inline export function planFused(): bool { return load<i32>(1132) != 0; }
@inline export function planMaxKeys(): i32 { return load<i32>(1136); }
@inline export function planSpins(): i32 { return load<i32>(1140); }
@inline export function planRangeStride(): i32 { return load<i32>(1144); }
@inline export function planMainWaits(): bool { return load<i32>(1148) != 0; }
@inline export function planInputWeight(): i32 { return load<i32>(1152); }
@inline export function planInputBias(): i32 { return load<i32>(1156); }
@inline export function planDot4(): bool { return load<i32>(1160) != 0; }

export const BARRIER_COUNT: i32 = 2048;
export const BARRIER_TURN: i32 = 2176;
export const BARRIER_SLEEPERS: i32 = 2304;
export const JOB: i32 = 2432;
export const FAULT: i32 = 2560;
export const ABANDONED_BY: i32 = 2688;
export const LAST_JOB: i32 = -1;

export const QUERY: i32 = 0;
export const KEY: i32 = 1;
export const VALUE: i32 = 2;
export const ATTENTION_OUTPUT: i32 = 3;
export const INTERMEDIATE: i32 = 4;
export const OUTPUT: i32 = 5;

export const ATTENTION_NORM: i32 = 0;
export const OUTPUT_NORM: i32 = 1;

export const NORM_WEIGHT: i32 = 0;
export const NORM_BIAS: i32 = 1;
export const NORM_PARAMETERS: i32 = 2;

export const LINEAR_BYTES: i32 = 48;
export const LINEAR_KIND: i32 = 0;
export const LINEAR_ROWS: i32 = 4;
export const LINEAR_COLUMNS: i32 = 8;
export const LINEAR_BLOCKS: i32 = 12;
export const LINEAR_BLOCK_COLUMNS: i32 = 16;
export const LINEAR_STARTS: i32 = 20;
export const LINEAR_BIAS: i32 = 24;
export const LINEAR_CHUNKS: i32 = 28;
export const LINEAR_CHUNK_ROWS: i32 = 32;
export const LINEAR_SMALL_SUMS: i32 = 36;
@inline export function linearKind(at: i32): i32 { return load<i32>(at, LINEAR_KIND); }
@inline export function linearRows(at: i32): i32 { return load<i32>(at, LINEAR_ROWS); }
@inline export function linearColumns(at: i32): i32 { return load<i32>(at, LINEAR_COLUMNS); }
@inline export function linearBlocks(at: i32): i32 { return load<i32>(at, LINEAR_BLOCKS); }
@inline export function linearBlockColumns(at: i32): i32 { return load<i32>(at, LINEAR_BLOCK_COLUMNS); }
@inline export function linearStarts(at: i32): i32 { return load<i32>(at, LINEAR_STARTS); }
@inline export function linearBias(at: i32): i32 { return load<i32>(at, LINEAR_BIAS); }
@inline export function linearChunks(at: i32): i32 { return load<i32>(at, LINEAR_CHUNKS); }
@inline export function linearChunkRows(at: i32): i32 { return load<i32>(at, LINEAR_CHUNK_ROWS); }
@inline export function linearSmallSums(at: i32): bool { return load<i32>(at, LINEAR_SMALL_SUMS) != 0; }

export const LAYER_BYTES: i32 = 304;
export const LAYER_LINEARS: i32 = 0;
export const LAYER_NORMS: i32 = 288;

export const CHUNK: i32 = 16;

export const ROW_HEADER_BYTES: i32 = 20;
export const ROW_HEADER_ROW: i32 = 0;
export const ROW_HEADER_SUM: i32 = 4;
export const ROW_HEADER_SCALE: i32 = 8;
export const ROW_HEADER_BIAS: i32 = 12;
export const ROW_HEADER_MINUS_GROUPS: i32 = 16;
export const ROW_HEADER_PLUS_GROUPS: i32 = 18;
@inline export function rowHeaderRow(at: i32): i32 { return load<i32>(at, ROW_HEADER_ROW); }
@inline export function rowHeaderSum(at: i32): i32 { return load<i32>(at, ROW_HEADER_SUM); }
@inline export function rowHeaderScale(at: i32): f32 { return load<f32>(at, ROW_HEADER_SCALE); }
@inline export function rowHeaderBias(at: i32): f32 { return load<f32>(at, ROW_HEADER_BIAS); }
@inline export function rowHeaderMinusGroups(at: i32): i32 { return <i32>load<u16>(at, ROW_HEADER_MINUS_GROUPS); }
@inline export function rowHeaderPlusGroups(at: i32): i32 { return <i32>load<u16>(at, ROW_HEADER_PLUS_GROUPS); }

export const GROUP_BYTES: i32 = 2;
export const GROUP_PAIR_BYTES: i32 = 0;
@inline export function groupPairBytes(at: i32): i32 { return <i32>load<u16>(at, GROUP_PAIR_BYTES); }

export const PAIR_BYTES: i32 = 6;
export const PAIR_FIRST: i32 = 0;
export const PAIR_SECOND: i32 = 2;
export const PAIR_WEIGHTS: i32 = 4;
@inline export function pairFirst(at: i32): i32 { return <i32>load<u16>(at, PAIR_FIRST); }
@inline export function pairSecond(at: i32): i32 { return <i32>load<u16>(at, PAIR_SECOND); }

export const QUAD_BYTES: i32 = 12;
export const QUAD_FIRST: i32 = 0;
export const QUAD_SECOND: i32 = 2;
export const QUAD_THIRD: i32 = 4;
export const QUAD_FOURTH: i32 = 6;
export const QUAD_WEIGHTS: i32 = 8;
@inline export function quadFirst(at: i32): i32 { return <i32>load<u16>(at, QUAD_FIRST); }
@inline export function quadSecond(at: i32): i32 { return <i32>load<u16>(at, QUAD_SECOND); }
@inline export function quadThird(at: i32): i32 { return <i32>load<u16>(at, QUAD_THIRD); }
@inline export function quadFourth(at: i32): i32 { return <i32>load<u16>(at, QUAD_FOURTH); }

export const FLOAT_ROW_HEADER_BYTES: i32 = 4;
export const FLOAT_ROW_HEADER_COUNT: i32 = 0;
@inline export function floatRowHeaderCount(at: i32): i32 { return load<i32>(at, FLOAT_ROW_HEADER_COUNT); }

export const FLOAT_WEIGHT_BYTES: i32 = 8;
export const FLOAT_WEIGHT_OFFSET: i32 = 0;
export const FLOAT_WEIGHT_VALUE: i32 = 4;
@inline export function floatWeightOffset(at: i32): i32 { return load<i32>(at, FLOAT_WEIGHT_OFFSET); }
@inline export function floatWeightValue(at: i32): f32 { return load<f32>(at, FLOAT_WEIGHT_VALUE); }

export const SEQUENCE_BYTES: i32 = 12;
export const SEQUENCE_FIRST_LANE: i32 = 0;
export const SEQUENCE_TOKENS: i32 = 4;
export const SEQUENCE_KEYS: i32 = 8;
@inline export function sequenceFirstLane(at: i32): i32 { return load<i32>(at, SEQUENCE_FIRST_LANE); }
@inline export function sequenceTokens(at: i32): i32 { return load<i32>(at, SEQUENCE_TOKENS); }
@inline export function sequenceKeys(at: i32): i32 { return load<i32>(at, SEQUENCE_KEYS); }

export const PUBLISHED_RANGE_BYTES: i32 = 8;
export const PUBLISHED_RANGE_HIGH: i32 = 0;
export const PUBLISHED_RANGE_LOW: i32 = 4;
@inline export function publishedRangeHigh(at: i32): i32 { return load<i32>(at, PUBLISHED_RANGE_HIGH); }
@inline export function publishedRangeLow(at: i32): u32 { return load<u32>(at, PUBLISHED_RANGE_LOW); }

export const RANGE_OF_HIDDEN: i32 = 0;
export const RANGE_OF_CONTEXT: i32 = 1;
export const RANGE_OF_MIDDLE: i32 = 2;
export const RANGE_OF_EXPANDED: i32 = 3;
export const LAYER_RANGES: i32 = 4;

export const INPUT_PHASE_LOAD: i32 = 0;
export const INPUT_PHASE_STORE: i32 = 1;
export const FIRST_LAYER_PHASE: i32 = 2;

export const PHASE_QUERY_KEY_VALUE: i32 = 0;
export const PHASE_ATTENTION: i32 = 1;
export const PHASE_ATTENTION_OUTPUT: i32 = 2;
export const PHASE_ATTENTION_NORM: i32 = 3;
export const PHASE_INTERMEDIATE: i32 = 4;
export const PHASE_OUTPUT: i32 = 5;
export const PHASE_OUTPUT_NORM: i32 = 6;
export const PHASE_STORE: i32 = 7;
export const LAYER_PHASES: i32 = 8;

export const ITEMS_BYTES: i32 = 12;
export const ITEMS_FIRST: i32 = 0;
export const ITEMS_END: i32 = 4;
export const ITEMS_TAKEN: i32 = 8;
@inline export function itemsFirst(at: i32): i32 { return load<i32>(at, ITEMS_FIRST); }
@inline export function itemsEnd(at: i32): i32 { return load<i32>(at, ITEMS_END); }
@inline export function itemsTaken(at: i32): i32 { return load<i32>(at, ITEMS_TAKEN); }

export const RUNNING_RANGE_BYTES: i32 = 64;
export const RUNNING_RANGE_HIGH: i32 = 0;
export const RUNNING_RANGE_LOW: i32 = 32;

export const SCRATCH_BYTES: i32 = 1024;
export const SCRATCH_ROW_RESULTS: i32 = 0;
export const SCRATCH_HEADERS: i32 = 128;
export const SCRATCH_RANGE: i32 = 256;
export const SCRATCH_TOKEN_INVERSE: i32 = 384;
export const SCRATCH_TOKEN_SCALE: i32 = 512;
export const SCRATCH_TOKEN_ZERO: i32 = 640;
export const SCRATCH_WIDE_ZERO: i32 = 768;
export const SCRATCH_STEPS: i32 = 896;
@inline export function scratchSteps(at: i32): i32 { return load<i32>(at, SCRATCH_STEPS); }

export const QUERY_BLOCK: i32 = 8;
export const WIDE_QUERY_BLOCK: i32 = 16;
export const SPARE_SCORE_ROWS: i32 = 8;
export const KEYS_MULTIPLE: i32 = 8;
