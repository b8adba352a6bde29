import { PruneError } from '@prune/core';
import { viewOf } from '../read/file-bytes.js';
import type { BudgetedFile } from '../read/read-budget.js';

/** `GCOL` and version 1: how a global heap collection begins. */
const SIGNATURE = [0x47, 0x43, 0x4f, 0x4c, 1] as const;
const HEADER_BYTES = 16;
/** The smallest collection that HDF5 takes. */
const SMALLEST = 4096;
/** Bytes looked through at a time. */
const WINDOW = 2 ** 20;

/**
 * Throws `corrupt` for a global heap collection (where strings live) in which HDF5 would walk for ever: it steps from object to object by the
 * sizes in the file, computed in 32 bits, and does not mind a step of 0 or backwards. Found by mutated files; HDF5 2.0.0, H5HGcache.c.
 * Collections are looked for by their signature in the whole file, because a reference to one may be anywhere.
 * Source: HDF5 File Format Specification 3.0, section III.E.
 */
export function checkHeaps(file: BudgetedFile): void {
  for (let base = 0; base < file.size; base += WINDOW) {
    const bytes = file.read(base, Math.min(WINDOW + HEADER_BYTES, file.size - base));
    for (let at = bytes.indexOf(SIGNATURE[0]); at !== -1 && at < WINDOW; at = bytes.indexOf(SIGNATURE[0], at + 1)) {
      if (SIGNATURE.every((byte, i) => bytes[at + i] === byte) && at + HEADER_BYTES <= bytes.byteLength) {
        checkCollection(file, base + at, viewOf(bytes).getUint32(at + 8, true));
      }
    }
  }
}

/** `size` is what a 32-bit HDF5 takes the collection's size for. One that it refuses is left to it. */
function checkCollection(file: BudgetedFile, address: number, size: number): void {
  if (size < SMALLEST || address + size > file.size) return;
  const objects = viewOf(file.read(address + HEADER_BYTES, size - HEADER_BYTES));
  for (let at = 0; at + HEADER_BYTES <= objects.byteLength; ) {
    const free = objects.getUint16(at, true) === 0;
    const bytes = objects.getUint32(at + 8, true);
    const step = free ? bytes : HEADER_BYTES + 8 * Math.ceil(bytes / 8);
    if (step === 0 || at + step > objects.byteLength) {
      const got = `${step} bytes at ${address + HEADER_BYTES + at}`;
      throw new PruneError('corrupt', { what: 'an object of a string heap does not end inside it', got });
    }
    at += step;
  }
}
