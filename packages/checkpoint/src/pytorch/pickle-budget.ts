import { checkLimit, type Limits } from '@prune/core';

/** Opcodes for each tensor: torch writes 32 to 40, and up to 12 for the version of a module. */
const OPERATIONS_PER_TENSOR = 64;
/**
 * Bytes of values. A tensor of torch's takes about 130 bytes of pickle and 950 bytes of values: the 391 of BERT-large
 * need 0.4 MB, and 90,000 of them fit. A small pickle can make us hold 40 MB; the rest of 64 MB is what is inflated at
 * once, and garbage.
 */
const BYTES_PER_TENSOR = 400;
const BYTES_PER_PICKLED_BYTE = 4;
/** State dicts have some entries that are not tensors. */
const FURTHER_ENTRIES = 100;

/**
 * What one pickle may still do: opcodes to run, and bytes of the values that they make. Values are charged when they
 * are made and never given back, because the memo can keep every one of them. The memo also makes a value of any size
 * from two bytes, and deflated pickles are a thousand times shorter than their opcodes, so neither count follows from
 * the file's size.
 */
export class PickleBudget {
  readonly #operations: number;
  readonly #bytes: number;
  #operationsDone = 0;
  #bytesMade = 0;

  /** `packedBytes`: what the pickle takes in the file. */
  constructor(limits: Limits, packedBytes: number) {
    const entries = limits.tensors + FURTHER_ENTRIES;
    this.#operations = OPERATIONS_PER_TENSOR * entries;
    this.#bytes = BYTES_PER_TENSOR * entries + BYTES_PER_PICKLED_BYTE * packedBytes;
  }

  /** Counts one opcode. Throws `limit`. */
  operation(): void {
    this.#operationsDone++;
    if (this.#operationsDone > this.#operations) {
      checkLimit('pickle has too many operations', this.#operationsDone, this.#operations);
    }
  }

  /** Counts a value of so many bytes, before it is made. Throws `limit`. */
  charge(bytes: number): void {
    this.#bytesMade += bytes;
    if (this.#bytesMade > this.#bytes) {
      checkLimit('values of the pickle take too much memory (bytes)', this.#bytesMade, this.#bytes);
    }
  }

  /** Counts an array or another object with so many fields. Throws `limit`. */
  chargeObject(fields: number): void {
    // Node's arrays: 32 bytes and a block of 16 bytes and 8 for each item.
    this.charge(48 + 8 * fields);
  }
}
