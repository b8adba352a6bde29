import { checkLimit, PruneError, type RandomAccess } from '@prune/core';

/** One field of a protobuf message: a number, or the range of its bytes in the source. */
export interface WireField {
  readonly number: number;
  readonly wire: 'varint' | 'fixed64' | 'bytes' | 'fixed32';
  /** A varint as a signed 64-bit integer. Other fields have 0. */
  readonly integer: bigint;
  /** Where the value's bytes begin and end. */
  readonly begin: number;
  readonly end: number;
}

/** Bytes that are read at once: most messages of a graph have fewer than 100, so a window holds hundreds of them. */
const WINDOW_BYTES = 1 << 16;
/**
 * Fields that one file may have. BERT-large, decomposed and quantized, has about 100,000. Each field can become an
 * object of about 100 bytes.
 */
const MAX_FIELDS = 1_000_000;
const MAX_VARINT_BYTES = 10;
const WIRES = ['varint', 'fixed64', 'bytes', undefined, undefined, 'fixed32'] as const;

/**
 * Walks protobuf messages in a source without reading the bytes that the caller does not ask for: a model has up to
 * 2 GB of weights between the fields that describe them, and protobuf libraries want the whole buffer.
 * Source of the format: protobuf.dev, "Encoding".
 */
export class WireReader {
  readonly source: RandomAccess;
  readonly #maxBytes: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowBegin = 0;
  #fields = 0;
  #kept = 0;

  /** `maxBytes` bounds what {@link bytes} returns in all. */
  constructor(source: RandomAccess, maxBytes: number) {
    this.source = source;
    this.#maxBytes = maxBytes;
  }

  /**
   * The fields of the message in `[begin, end)`. Every field lies within the message. Throws `truncated`, `corrupt`,
   * or `limit` for a file of more than a million fields.
   */
  async *fields({ begin, end }: { readonly begin: number; readonly end: number }): AsyncGenerator<WireField, void> {
    let at = begin;
    while (at < end) {
      checkLimit('too many protobuf fields', ++this.#fields, MAX_FIELDS);
      const tag = await this.#varint(at, end);
      const number = Number(tag.value >> 3n);
      const wire = WIRES[Number(tag.value & 7n)];
      if (wire === undefined || number < 1 || number >= 2 ** 29) {
        throw new PruneError('corrupt', { what: `protobuf field at byte ${at}`, got: `tag ${tag.value}` });
      }
      at = tag.end;
      if (wire === 'varint') {
        const { value, end: next } = await this.#varint(at, end);
        yield { number, wire, integer: BigInt.asIntN(64, value), begin: at, end: next };
        at = next;
        continue;
      }
      let length = wire === 'fixed64' ? 8n : 4n;
      if (wire === 'bytes') {
        const { value, end: next } = await this.#varint(at, end);
        length = value;
        at = next;
      }
      if (length > BigInt(end - at)) {
        throw new PruneError('truncated', {
          what: `protobuf field ${number} at byte ${at}`,
          got: `${length} bytes`,
          wanted: `at most the ${end - at} that the message has left`,
        });
      }
      yield { number, wire, integer: 0n, begin: at, end: at + Number(length) };
      at += Number(length);
    }
  }

  /** The bytes of a field that the caller keeps. Throws `limit`. */
  async bytes({ begin, end }: { readonly begin: number; readonly end: number }): Promise<Uint8Array> {
    this.#kept += end - begin;
    checkLimit('graph is too large (bytes)', this.#kept, this.#maxBytes);
    await this.#load(begin, end - begin);
    const from = begin - this.#windowBegin;
    return this.#window.slice(from, from + end - begin);
  }

  async #varint(begin: number, limit: number): Promise<{ value: bigint; end: number }> {
    await this.#load(begin, Math.min(MAX_VARINT_BYTES, limit - begin));
    let low = 0;
    for (let i = 0; i < MAX_VARINT_BYTES && begin + i < limit; i++) {
      const byte = this.#window[begin + i - this.#windowBegin];
      // Numbers of up to 28 bits need no BigInt, which most are.
      if (i < 4) {
        low |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) return { value: BigInt(low), end: begin + i + 1 };
      } else if (byte < 0x80) {
        return { value: this.#longVarint(begin, i + 1), end: begin + i + 1 };
      }
    }
    const code = limit - begin < MAX_VARINT_BYTES ? 'truncated' : 'corrupt';
    throw new PruneError(code, { what: `protobuf integer at byte ${begin} does not end` });
  }

  #longVarint(begin: number, length: number): bigint {
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) {
      value = (value << 7n) | BigInt(this.#window[begin + i - this.#windowBegin] & 0x7f);
    }
    return BigInt.asUintN(64, value);
  }

  /** Makes sure that the window has these bytes, which must lie within the source. */
  async #load(begin: number, length: number): Promise<void> {
    if (begin >= this.#windowBegin && begin + length <= this.#windowBegin + this.#window.length) return;
    const bytes = Math.max(length, Math.min(WINDOW_BYTES, this.source.size - begin));
    this.#window = await this.source.read(begin, bytes);
    this.#windowBegin = begin;
  }
}
