// Where things lie in the memory of the WebAssembly loops, in bytes. AssemblyScript compiles this file too (assembly/
// imports it), so it holds nothing but numbers and sums of those above. All addresses are multiples of 8.
//
// What does not fit is decoded by the TypeScript loops: rows of more than MAX_WIDTH elements, groups of more than
// WORD_BYTES, matrices and blocks beyond the limits of the mask. The memory never grows, so views of it stay valid.

/** Bytes of the words of four groups, or of the blocks of a pair. */
export const WORD_BYTES = 524288;

// The state of four lanes of rows: four numbers of 32 bits each. `LANE_AT` counts words from WORDS on.
export const LANE_STATE = 1024;
export const LANE_AT = LANE_STATE + 16;
/** The first slot of each lane's table. */
export const LANE_TABLE = LANE_AT + 16;

// Rows
/** Tables of frequencies: 1 + 8 + 8 + 32 is the most that a form has. */
export const MAX_TABLES = 49;
export const MAX_WIDTH = 8192;
/** Means and symbols are below 2,048, and so their sum is below 4,096. */
export const MAX_VALUES = 4096;
export const TABLE_SLOTS = LANE_TABLE + 16;
/** Four times each slot's symbol, which saves the loop a shift. */
export const TABLE_SYMBOLS = TABLE_SLOTS + 4 * 4096 * MAX_TABLES;
export const VALUES = TABLE_SYMBOLS + 2 * 4096 * MAX_TABLES;
/** Four times each column's mean. */
export const MEANS = VALUES + 4 * MAX_VALUES;
/** What is decoded: a row of each lane, as floats or as symbols of 16 bits of up to four planes. */
export const ROW_OUT_BYTES = 8 * MAX_WIDTH;
export const ROWS_OUT = MEANS + 4 * MAX_WIDTH;
/** The floats of a row that is made of planes. */
export const JOINED = ROWS_OUT + 4 * ROW_OUT_BYTES;

// Matrices
export const MAX_COLUMNS = 8192;
/** The format's own bound for so many columns. */
export const MAX_SLOTS = 16 * MAX_COLUMNS + 4096;
/** Rows and nonzeros of a pair of blocks. */
export const MAX_ROWS = 65536;
export const MAX_NONZEROS = 262144;
/** Groups a side of the contexts of values. */
export const MAX_GROUPS = 8;
/**
 * Seven numbers of 32 bits for each of two lanes: its next row, the row after its last one, its next nonzero, the
 * nonzero after its last one, the escapes that it may have, where its words start, and where they end.
 */
export const MASK_LANES = JOINED + 4 * MAX_WIDTH;
export const MASK_LANE_BYTES = 32;
/** The constant tables of gaps: 22 classes of 1,536 and 4,096 numbers of 16 bits, and 22 of 32 bits. */
export const GAPS_BELOW = MASK_LANES + 2 * MASK_LANE_BYTES;
export const GAP_AT = GAPS_BELOW + 2 * 22 * 1536;
export const GAP_REACH = GAP_AT + 2 * 22 * 4096;
export const SLOT_OF = GAP_REACH + 4 * 22;
export const COLUMN_AT = SLOT_OF + 4 * MAX_COLUMNS + 8;
export const ROW_CLASS = COLUMN_AT + 2 * MAX_SLOTS;
/** Tables of values, for each context. */
export const VALUE_TABLES = ROW_CLASS + MAX_ROWS;
export const ROW_GROUP = VALUE_TABLES + 4 * 4096 * MAX_GROUPS * MAX_GROUPS;
export const COLUMN_GROUP = ROW_GROUP + MAX_ROWS;
export const INDPTR = COLUMN_GROUP + MAX_COLUMNS;
export const INDICES = INDPTR + 4 * MAX_ROWS + 8;
export const DATA = INDICES + 2 * MAX_NONZEROS;

// Words, of rows and of matrices.
export const WORDS = DATA + MAX_NONZEROS;
/**
 * A decoder looks for the end of its words after each row, or 4,096 values at the most. Damaged bytes may have a row of
 * a matrix take a word for each column and for each escape, which skips 12 slots or more.
 */
export const WORDS_END = WORDS + WORD_BYTES;
export const END = WORDS_END + 2 * MAX_COLUMNS + 2 * MAX_SLOTS;
