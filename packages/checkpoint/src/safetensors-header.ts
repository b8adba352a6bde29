import {
  checkLimit,
  DTYPES,
  type Dtype,
  elementCount,
  type Limits,
  PruneError,
  shown,
  type TensorInfo,
} from '@prune/core';

/** The names that the safetensors format gives to our dtypes. */
export const SAFETENSORS_DTYPES: Readonly<Record<Dtype, string>> = {
  bool: 'BOOL',
  uint8: 'U8',
  int8: 'I8',
  uint16: 'U16',
  int16: 'I16',
  uint32: 'U32',
  int32: 'I32',
  int64: 'I64',
  float16: 'F16',
  bfloat16: 'BF16',
  float32: 'F32',
  float64: 'F64',
};

const DTYPE_OF_NAME = new Map(Object.entries(SAFETENSORS_DTYPES).map(([dtype, name]) => [name, dtype as Dtype]));

/** Levels of a value that we do not know and read past; the library allows twice as many. */
const MAX_DEPTH = 64;

/** A tensor of a safetensors file: bytes `[begin, end)` after the header. */
export interface SafetensorsEntry extends TensorInfo {
  readonly begin: number;
  readonly end: number;
}

/**
 * The entries of a safetensors header, in its own order. Every dtype, shape and byte range is checked, and the ranges tile the
 * data: no overlap, no hole. Not JSON.parse: that would take a 100 MB header of brackets into gigabytes of arrays, and keep the
 * last of two equal names silently. Throws `corrupt`, `unsupported`, `limit`.
 * Format: https://github.com/huggingface/safetensors#format
 */
export function parseSafetensorsHeader(
  text: string,
  limits: Limits,
): { readonly entries: Map<string, SafetensorsEntry>; readonly dataBytes: number } {
  const entries = new Map<string, SafetensorsEntry>();
  const reader = new HeaderReader(text);
  let hasMetadata = false;
  reader.members((name) => {
    checkLimit('name is too long', name.length, limits.nameLength);
    if (name === '__metadata__') {
      if (hasMetadata) throw corrupt('duplicate name', name);
      hasMetadata = true;
      // The safetensors library reads null as no metadata.
      if (reader.acceptNull()) return;
      const seen = new Set<string>();
      reader.members((key) => {
        if (seen.has(key)) throw corrupt(`duplicate key ${shown(key)} in __metadata__`);
        checkLimit('too many metadata entries', seen.add(key).size, limits.tensors);
        reader.string();
      });
      return;
    }
    if (entries.has(name)) throw corrupt('duplicate name', name);
    entries.set(name, readEntry(reader, name, limits));
    checkLimit('too many tensors', entries.size, limits.tensors);
  });
  reader.end();
  return { entries, dataBytes: checkTiling(entries) };
}

function readEntry(reader: HeaderReader, name: string, limits: Limits): SafetensorsEntry {
  let dtypeName: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  reader.members((field) => {
    if (field === 'dtype' && dtypeName === undefined) dtypeName = reader.string();
    else if (field === 'shape' && shape === undefined) shape = reader.integers(limits.rank);
    else if (field === 'data_offsets' && offsets === undefined) offsets = reader.integers(2);
    else if (field === 'dtype' || field === 'shape' || field === 'data_offsets') {
      throw corrupt(`duplicate field ${shown(field)}`, name);
      // The safetensors library reads past fields that it does not know.
    } else reader.skipValue();
  });
  if (dtypeName === undefined || shape === undefined || offsets?.length !== 2) {
    throw corrupt('incomplete entry: dtype, shape and two data_offsets are needed', name);
  }
  const dtype = DTYPE_OF_NAME.get(dtypeName);
  if (dtype === undefined) throw new PruneError('unsupported', { what: 'dtype', got: shown(dtypeName), tensor: name });
  const [begin, end] = offsets;
  const bytes = elementCount({ dtype, shape }, { tensor: name }, limits) * DTYPES[dtype].bytes;
  if (end - begin !== bytes) {
    throw new PruneError('corrupt', {
      what: 'data_offsets do not fit dtype and shape (bytes)',
      got: end - begin,
      wanted: bytes,
      tensor: name,
    });
  }
  return { dtype, shape, begin, end };
}

function checkTiling(entries: ReadonlyMap<string, SafetensorsEntry>): number {
  let covered = 0;
  const sorted = [...entries.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (const entry of sorted) {
    const { begin, end } = entry;
    if (begin !== covered) {
      const what = begin < covered ? 'tensor overlaps another' : 'hole before the tensor';
      const [tensor] = [...entries].find(([, one]) => one === entry)!;
      throw new PruneError('corrupt', { what, got: begin, wanted: covered, tensor });
    }
    covered = end;
  }
  return covered;
}

/** The subset of JSON that a header consists of: objects by callback, strings, arrays of integers. */
class HeaderReader {
  #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads an object; `member` reads the value of each key. */
  members(member: (key: string) => void) {
    this.#expect('{');
    if (this.#accept('}')) return;
    do {
      const key = this.string();
      this.#expect(':');
      member(key);
    } while (this.#accept(','));
    this.#expect('}');
  }

  string(): string {
    this.#expect('"');
    const start = this.#position - 1;
    for (;;) {
      const quote = this.#text.indexOf('"', this.#position);
      if (quote < 0) throw this.#unexpected('the end of a string');
      let backslashes = 0;
      while (this.#text[quote - 1 - backslashes] === '\\') backslashes++;
      this.#position = quote + 1;
      if (backslashes % 2 === 0) break;
    }
    try {
      return JSON.parse(this.#text.slice(start, this.#position)) as string;
    } catch (cause) {
      throw new PruneError('corrupt', { what: `bad string in the header at ${start}`, cause });
    }
  }

  integers(atMost: number): number[] {
    const integers: number[] = [];
    this.#expect('[');
    if (this.#accept(']')) return integers;
    do {
      checkLimit('too many numbers in an array', integers.length + 1, atMost);
      integers.push(this.#integer());
    } while (this.#accept(','));
    this.#expect(']');
    // An array that was pushed to has room for 17 numbers, which the shapes of 100,000 tensors would keep.
    return integers.slice();
  }

  /** Moves past `null`, if that is what comes. */
  acceptNull(): boolean {
    this.#skipSpace();
    return this.#acceptWord(/null/y);
  }

  /** Moves past a value of any kind, none of which is kept. Throws `corrupt`, `limit` for one nested past 64 levels. */
  skipValue(depth = 0) {
    checkLimit('safetensors header is nested too deeply', depth, MAX_DEPTH);
    this.#skipSpace();
    const next = this.#text[this.#position];
    if (next === '"') this.string();
    else if (next === '{') this.members(() => this.skipValue(depth + 1));
    else if (next === '[') {
      this.#expect('[');
      if (this.#accept(']')) return;
      do this.skipValue(depth + 1);
      while (this.#accept(','));
      this.#expect(']');
    } else if (!this.#acceptWord(/(?:null|true|false|-?(?:0|[1-9]\d{0,400})(?:\.\d{1,400})?(?:[eE][+-]?\d{1,9})?)/y)) {
      throw this.#unexpected('a value');
    }
  }

  #acceptWord(word: RegExp): boolean {
    word.lastIndex = this.#position;
    const found = word.test(this.#text);
    if (found) this.#position = word.lastIndex;
    return found;
  }

  end() {
    this.#skipSpace();
    if (this.#position < this.#text.length) throw this.#unexpected('the end of the header');
  }

  #integer(): number {
    this.#skipSpace();
    const digits = /(?:0|[1-9]\d{0,15})(?![\d.eE])/y;
    digits.lastIndex = this.#position;
    const value = Number(digits.exec(this.#text)?.[0]);
    if (!Number.isSafeInteger(value)) throw this.#unexpected('an integer below 2^53');
    this.#position = digits.lastIndex;
    return value;
  }

  #accept(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#position] !== character) return false;
    this.#position++;
    return true;
  }

  #expect(character: string) {
    if (!this.#accept(character)) throw this.#unexpected(`"${character}"`);
  }

  #skipSpace() {
    while (' \n\r\t'.includes(this.#text[this.#position] ?? '.')) this.#position++;
  }

  #unexpected(wanted: string): PruneError {
    const got = this.#position < this.#text.length ? JSON.stringify(this.#text[this.#position]) : 'the end';
    return new PruneError('corrupt', { what: `safetensors header, character ${this.#position}`, got, wanted });
  }
}

function corrupt(what: string, tensor?: string): PruneError {
  return new PruneError('corrupt', { what: `safetensors header: ${what}`, tensor });
}
