/** Bytes of a known length that are read when they are written. */
export interface LaterBytes {
  readonly byteLength: number;
  read(): Promise<Uint8Array>;
}

/** A protobuf message being written: chunks in order, large arrays not copied. Wire format: https://protobuf.dev/programming-guides/encoding/ */
export class ProtobufMessage {
  readonly chunks: (Uint8Array | LaterBytes)[] = [];
  byteLength = 0;

  /** A varint field; negative numbers are 64-bit two's complement. */
  int(field: number, value: number): this {
    return this.#push(varint(8 * field)).#push(varint(value));
  }

  float(field: number, value: number): this {
    return this.#push(varint(8 * field + 5)).#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** The bytes are kept, not copied. */
  bytes(field: number, value: Uint8Array | LaterBytes): this {
    return this.#push(varint(8 * field + 2))
      .#push(varint(value.byteLength))
      .#push(value);
  }

  message(field: number, value: ProtobufMessage): this {
    this.#push(varint(8 * field + 2)).#push(varint(value.byteLength));
    for (const chunk of value.chunks) this.#push(chunk);
    return this;
  }

  #push(chunk: Uint8Array | LaterBytes): this {
    this.chunks.push(chunk);
    this.byteLength += chunk.byteLength;
    return this;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
