// DEFLATE (RFC 1951) of data that has no repeats worth pointing at: literals under adaptive Huffman codes, and runs of one byte.
//
// Why not a library's level 9: LZ77 matches in the gaps and values of a pruned matrix are accidents, and fixed block sizes miss
// where the statistics change. golden/base, gaps / values in MB: zlib -9 3.53 / 4.46, Z_HUFFMAN_ONLY 3.29 / 4.46, this 3.06 / 4.46 once
// the rows are in order of density; and it is several times faster. Text and other data with real repeats go through fflate (gzip.ts).
import { BitWriter } from './bit-writer.js';
import { codeLengths } from './code-lengths.js';

/** A DEFLATE stream being written: bytes in by segments, each coded in blocks of its own. */
export interface LiteralDeflater {
  /** Codes a segment; returns the whole bytes that are ready. The block structure is searched in steps of `step` symbols. */
  segment(bytes: Uint8Array, step?: number): Uint8Array;
  /** The end of the stream. */
  finish(): Uint8Array;
}

const END = 256;
const LITERALS = 286;
// A run shorter than this costs less as literals of one or two bits each.
const SHORTEST_RUN = 8;
const LONGEST_RUN = 258;
/** Literals, and runs of 3 to 258. */
const TOKENS = END + LONGEST_RUN - 2;
const STEP = 8192;
// Keeps counts far below the 2^23 that codeLengths takes, and the tokens of a block in a bounded array.
const LARGEST_BLOCK = 1 << 20;
const LARGEST_STORED = 65535;
const HEADER_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Starts a stream. Deterministic: integer arithmetic only. */
export function literalDeflate(): LiteralDeflater {
  const out = new BitWriter();
  return {
    segment(bytes, step = STEP) {
      const tokens = new Uint16Array(bytes.length);
      for (const block of blocksOf(bytes, step, tokens)) {
        if (block.storedBits <= block.plan.bits) writeStored(out, bytes.subarray(block.start, block.end));
        else writeDynamic(out, block, tokens);
      }
      return out.take();
    },
    finish() {
      // An empty block of fixed codes, marked as the last: 1, 01, 0000000.
      out.put(0b011, 10);
      out.bytes(new Uint8Array(0));
      return out.take();
    },
  };
}

/** The bytes that a segment would take, up to the stream's end. */
export function literalDeflateSize(bytes: Uint8Array): number {
  let bits = 0;
  const blocks = blocksOf(bytes, STEP, new Uint16Array(bytes.length));
  for (const { plan, storedBits } of blocks) bits += Math.min(plan.bits, storedBits);
  return (bits + 7) >>> 3;
}

/** Bytes `[start, end)` of a segment as tokens, 0..255: a literal, 256 + n: the byte before, repeated n + 3 times. */
interface Block {
  readonly start: number;
  readonly end: number;
  /** Of the segment's tokens. */
  readonly firstToken: number;
  readonly lastToken: number;
  readonly counts: Int32Array;
  readonly runs: number;
  readonly extraBits: number;
  readonly plan: Plan;
  readonly storedBits: number;
}

interface Plan {
  readonly lengths: Uint8Array;
  /** Code length symbols and, for 16 to 18, their extra bits. */
  readonly header: readonly number[];
  readonly headerLengths: Uint8Array;
  readonly headerCount: number;
  readonly literalCount: number;
  readonly bits: number;
}

/** Splits greedily: a step joins the block before it when one code for both is no longer than two. `tokens` has room for all of `bytes`. */
function* blocksOf(bytes: Uint8Array, step: number, tokens: Uint16Array): Generator<Block> {
  let block: Block | undefined;
  for (const next of stepsOf(bytes, step, tokens)) {
    const fits = block !== undefined && next.lastToken - block.firstToken <= LARGEST_BLOCK;
    const joined = fits ? join(block!, next) : undefined;
    if (block === undefined) block = next;
    else if (joined !== undefined && cost(joined) <= cost(block) + cost(next)) block = joined;
    else {
      yield block;
      block = next;
    }
  }
  if (block !== undefined) yield block;
}

const cost = ({ plan, storedBits }: Block) => Math.min(plan.bits, storedBits);

function* stepsOf(bytes: Uint8Array, step: number, tokens: Uint16Array): Generator<Block> {
  for (let at = 0, token = 0; at < bytes.length; ) {
    const block = nextStep(bytes, at, step, tokens, token);
    at = block.end;
    token = block.lastToken;
    yield block;
  }
}

/** The next `step` tokens. */
function nextStep(bytes: Uint8Array, start: number, step: number, tokens: Uint16Array, firstToken: number): Block {
  const counts = new Int32Array(LITERALS);
  const most = firstToken + step;
  let runs = 0;
  let extraBits = 0;
  let at = start;
  let token = firstToken;
  // Never read before the array: that is many times as slow.
  let previous = at > 0 ? bytes[at - 1] : -1;
  for (; token < most && at < bytes.length; token++) {
    const byte = bytes[at];
    const run = byte === previous ? runAt(bytes, at) : 0;
    previous = byte;
    if (run < SHORTEST_RUN) {
      tokens[token] = byte;
      counts[byte]++;
      at++;
      continue;
    }
    tokens[token] = END + run - 3;
    const symbol = runSymbol(run);
    counts[symbol]++;
    extraBits += runExtra(symbol);
    runs++;
    at += run;
  }
  counts[END] = 1;
  return withPlan({ start, end: at, firstToken, lastToken: token, counts, runs, extraBits });
}

function withPlan(block: Omit<Block, 'plan' | 'storedBits'>): Block {
  const { start, end, counts, runs, extraBits } = block;
  const storedBits = Math.ceil((end - start) / LARGEST_STORED) * 42 + 8 * (end - start);
  return { ...block, plan: planOf(counts, runs, extraBits), storedBits };
}

function join(a: Block, b: Block): Block {
  const counts = a.counts.map((count, symbol) => count + b.counts[symbol]);
  counts[END] = 1;
  const { start, firstToken } = a;
  const { end, lastToken } = b;
  return withPlan({
    start,
    end,
    firstToken,
    lastToken,
    counts,
    runs: a.runs + b.runs,
    extraBits: a.extraBits + b.extraBits,
  });
}

/** How often the byte at `at` stands there in a row, up to what one code can say. */
function runAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  const limit = Math.min(LONGEST_RUN, bytes.length - at);
  let run = 1;
  while (run < limit && bytes[at + run] === byte) run++;
  return run;
}

/** RFC 1951, 3.2.5: the code of a length, 257 to 285. */
function runSymbol(run: number): number {
  if (run === LONGEST_RUN) return 285;
  const n = run - 3;
  if (n < 8) return 257 + n;
  const extra = 29 - Math.clz32(n);
  return 257 + 4 * extra + (n >>> extra);
}

const runExtra = (symbol: number) => (symbol < 265 || symbol === 285 ? 0 : (symbol - 261) >>> 2);

function planOf(counts: Int32Array, runs: number, extraBits: number): Plan {
  const lengths = codeLengths(counts, 15);
  let literalCount = LITERALS;
  while (lengths[literalCount - 1] === 0) literalCount--;
  const all = new Uint8Array(literalCount + 1);
  all.set(lengths.subarray(0, literalCount));
  // The one distance that occurs is 1, its code one bit; without runs, a distance code of no bits.
  all[literalCount] = runs > 0 ? 1 : 0;

  const header = packLengths(all);
  const headerCounts = new Int32Array(19);
  for (let i = 0; i < header.length; i += 2) headerCounts[header[i]]++;
  const headerLengths = codeLengths(headerCounts, 7);
  let headerCount = 19;
  while (headerLengths[HEADER_ORDER[headerCount - 1]] === 0) headerCount--;

  let bits = 17 + 3 * headerCount + extraBits + runs;
  for (let symbol = 0; symbol < 19; symbol++) {
    bits += headerCounts[symbol] * (headerLengths[symbol] + (symbol < 16 ? 0 : PACKED_BITS[symbol - 16]));
  }
  for (let symbol = 0; symbol < literalCount; symbol++) bits += counts[symbol] * lengths[symbol];
  return { lengths, header, headerLengths, headerCount, literalCount, bits };
}

const PACKED_BITS = [2, 3, 7];

/** RFC 1951, 3.2.7: pairs of a code length symbol and its extra bits. */
function packLengths(lengths: Uint8Array): number[] {
  const packed: number[] = [];
  for (let i = 0; i < lengths.length; ) {
    const length = lengths[i];
    let run = 1;
    while (i + run < lengths.length && lengths[i + run] === length) run++;
    i += run;
    if (length === 0) {
      for (; run > 10; run -= Math.min(run, 138)) packed.push(18, Math.min(run, 138) - 11);
      if (run > 2) {
        packed.push(17, run - 3);
        run = 0;
      }
    } else {
      packed.push(length, 0);
      run--;
      for (; run > 2; run -= Math.min(run, 6)) packed.push(16, Math.min(run, 6) - 3);
    }
    for (; run > 0; run--) packed.push(length, 0);
  }
  return packed;
}

function writeStored(out: BitWriter, bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += LARGEST_STORED) {
    const part = bytes.subarray(at, at + LARGEST_STORED);
    out.put(0, 3);
    out.bytes(Uint8Array.of(part.length, part.length >>> 8, ~part.length, ~part.length >>> 8));
    out.bytes(part);
  }
}

function writeDynamic(out: BitWriter, { plan, firstToken, lastToken }: Block, tokens: Uint16Array) {
  out.put(0b100, 3);
  out.put(plan.literalCount - 257, 5);
  out.put(0, 5);
  out.put(plan.headerCount - 4, 4);
  for (let i = 0; i < plan.headerCount; i++) out.put(plan.headerLengths[HEADER_ORDER[i]], 3);
  const headerCodes = codesOf(plan.headerLengths);
  for (let i = 0; i < plan.header.length; i += 2) {
    const symbol = plan.header[i];
    out.put(headerCodes[symbol], plan.headerLengths[symbol]);
    if (symbol > 15) out.put(plan.header[i + 1], PACKED_BITS[symbol - 16]);
  }
  const codes = codesOf(plan.lengths);
  out.putAll(tokens.subarray(firstToken, lastToken), tokenCodes(plan.lengths, codes), plan.bits);
  out.put(codes[END], plan.lengths[END]);
}

/** For each token its bits and, in the lowest five, how many they are: a run's with its extra bits and the distance's one. */
function tokenCodes(lengths: Uint8Array, codes: Uint16Array): Uint32Array {
  const table = new Uint32Array(TOKENS);
  for (let literal = 0; literal < END; literal++) table[literal] = (codes[literal] << 5) | lengths[literal];
  for (let token = END; token < TOKENS; token++) {
    const symbol = runSymbol(token - END + 3);
    const extra = runExtra(symbol);
    const bits = codes[symbol] | (((token - END) & ((1 << extra) - 1)) << lengths[symbol]);
    table[token] = (bits << 5) | (lengths[symbol] + extra + 1);
  }
  return table;
}

/** Canonical codes (RFC 1951, 3.2.2), their bits reversed for a writer that starts at the lowest bit. */
function codesOf(lengths: Uint8Array): Uint16Array {
  const next = new Uint16Array(17);
  for (const length of lengths) if (length > 0) next[length + 1]++;
  for (let length = 1, code = 0; length < 17; length++) {
    code = (code + next[length]) << 1;
    next[length] = code;
  }
  const codes = new Uint16Array(lengths.length);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol];
    if (length === 0) continue;
    let code = next[length]++;
    let reversed = 0;
    for (let bit = 0; bit < length; bit++, code >>>= 1) reversed = (reversed << 1) | (code & 1);
    codes[symbol] = reversed;
  }
  return codes;
}
