const encoder = new TextEncoder();

/** How many items of a dict CPython sets with one opcode. */
const BATCH = 1000;

/**
 * Writes a pickle of protocol 2, which every torch reads, opcode by opcode as CPython's pickler does: the same objects
 * give the same bytes. Each method writes one value. Small opcodes gather in memory until `flush`.
 */
export class PickleWriter {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #known = new Map<string, number>();
  #buffer = new Uint8Array(1 << 12);
  #length = 0;
  /** CPython numbers every value that could be named again. */
  #memo = 0;

  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
    this.#bytes(0x80, 2);
  }

  /** A text of its own, even if an equal one was written. Of texts of one character, Python has one each. */
  text(value: string): void {
    if (value.length <= 1) this.shared(value);
    else this.#newText(value);
  }

  /** A text that Python has once, because it is a literal of the source code. */
  shared(value: string): void {
    this.once(`text ${value}`, () => this.#newText(value));
  }

  /** A class or a function, written once and then referred to. */
  global(module: string, name: string): void {
    this.once(`global ${module} ${name}`, () => {
      this.#raw(encoder.encode(`c${module}\n${name}\n`));
      this.#put();
    });
  }

  /** Writes the value and gives it its state, if it has one, or refers to it by its key where it was written before. */
  once(key: string, write: () => void, state?: () => void): void {
    const known = this.#known.get(key);
    if (known === undefined) {
      write();
      this.#known.set(key, this.#memo - 1);
      if (state !== undefined) this.build(state);
    } else if (known < 256) this.#bytes(0x68, known);
    else this.#bytes(0x6a, ...u32(known));
  }

  integer(value: number): void {
    if (value >= 0 && value < 256) this.#bytes(0x4b, value);
    else if (value >= 0 && value < 65_536) this.#bytes(0x4d, value & 255, value >> 8);
    else if (value >= -(2 ** 31) && value < 2 ** 31) this.#bytes(0x4a, ...u32(value));
    else this.#bytes(0x8a, 8, ...u32(value), ...u32(Math.floor(value / 2 ** 32)));
  }

  float(value: number): void {
    const view = new DataView(new ArrayBuffer(9));
    view.setUint8(0, 0x47);
    view.setFloat64(1, value);
    this.#raw(new Uint8Array(view.buffer));
  }

  boolean(value: boolean): void {
    this.#bytes(value ? 0x88 : 0x89);
  }

  none(): void {
    this.#bytes(0x4e);
  }

  tuple(...items: readonly (() => void)[]): void {
    if (items.length === 0) {
      this.#bytes(0x29);
      return;
    }
    if (items.length > 3) this.#bytes(0x28);
    for (const item of items) item();
    this.#bytes(items.length > 3 ? 0x74 : 0x84 + items.length);
    this.#put();
  }

  integers(values: readonly number[]): void {
    this.tuple(...values.map((value) => () => this.integer(value)));
  }

  /** What a callable makes of its arguments, a tuple. */
  call(callable: () => void, ...args: readonly (() => void)[]): void {
    callable();
    this.tuple(...args);
    this.#bytes(0x52);
    this.#put();
  }

  /** Gives the value written last a state, which `state` writes. */
  build(state: () => void): void {
    state();
    this.#bytes(0x62);
  }

  /** A persistent id: torch's reference to a storage. */
  persistent(id: () => void): void {
    id();
    this.#bytes(0x51);
  }

  emptyDict(): void {
    this.#bytes(0x7d);
    this.#put();
  }

  /** Sets the items of the dict written last, whose keys and values `setItem` writes. */
  setItems<T>(items: readonly T[], setItem: (item: T) => void): void {
    for (const batch of batches(items)) {
      if (batch.length > 1) this.#bytes(0x28);
      for (const item of batch) setItem(item);
      this.#bytes(batch.length > 1 ? 0x75 : 0x73);
    }
  }

  /** The same for values that have to be read. Each item leaves memory before the next one is asked for. */
  async setItemsInTurns<T>(items: readonly T[], setItem: (item: T) => Promise<void>): Promise<void> {
    for (const batch of batches(items)) {
      if (batch.length > 1) this.#bytes(0x28);
      for (const item of batch) {
        await setItem(item);
        await this.flush();
      }
      this.#bytes(batch.length > 1 ? 0x75 : 0x73);
    }
  }

  /** `bytes`, which protocol 2 has as a text of the characters 0 to 255 and as the call that encodes it. */
  latin1(bytes: Uint8Array): void {
    if (bytes.length === 0) {
      this.once('no bytes', () => this.call(() => this.global('__builtin__', 'bytes')));
      return;
    }
    this.call(
      () => this.global('_codecs', 'encode'),
      () => this.#latin1Text(bytes),
      () => this.shared('latin1'),
    );
  }

  /** Ends the pickle. */
  async finish(): Promise<void> {
    this.#bytes(0x2e);
    await this.flush();
  }

  async flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    if (bytes.length > 0) await this.#write(bytes);
  }

  #newText(value: string): void {
    const bytes = encoder.encode(value);
    this.#textHead(bytes.length);
    this.#raw(bytes);
    this.#put();
  }

  #latin1Text(bytes: Uint8Array): void {
    let wide = 0;
    for (const byte of bytes) wide += byte >> 7;
    this.#textHead(bytes.length + wide);
    this.#reserve(bytes.length + wide);
    const buffer = this.#buffer;
    let length = this.#length;
    for (const byte of bytes) {
      if (byte >= 128) buffer[length++] = 0xc0 | (byte >> 6);
      buffer[length++] = byte >= 128 ? 0x80 | (byte & 0x3f) : byte;
    }
    this.#length = length;
    this.#put();
  }

  #textHead(length: number): void {
    this.#bytes(0x58, ...u32(length));
  }

  #put(): void {
    const number = this.#memo++;
    if (number < 256) this.#bytes(0x71, number);
    else this.#bytes(0x72, ...u32(number));
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #bytes(...bytes: readonly number[]): void {
    this.#reserve(bytes.length);
    for (const byte of bytes) this.#buffer[this.#length++] = byte;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + count));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}

function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];
}
