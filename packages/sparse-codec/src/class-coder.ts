import { type BinaryDecoder, type BinaryEncoder, BitContexts } from './binary-coder.js';
import { corrupt } from './corrupt.js';

/** Classes of rows or columns, each below `count` (at most 32), as five adaptive bits, high to low, each knowing those above it. */
export function writeClasses(coder: BinaryEncoder, classes: Uint8Array): void {
  const contexts = new BitContexts(32);
  for (const value of classes) {
    let node = 1;
    for (let bit = 4; bit >= 0; bit--) {
      const b = (value >> bit) & 1;
      coder.bit(contexts, node, b);
      node = 2 * node + b;
    }
  }
}

export function readClasses(coder: BinaryDecoder, length: number, count: number): Uint8Array {
  const contexts = new BitContexts(32);
  const classes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    let node = 1;
    while (node < 32) node = 2 * node + coder.bit(contexts, node);
    if (node - 32 >= count) throw corrupt('unknown density class', node - 32, `below ${count}`);
    classes[i] = node - 32;
  }
  return classes;
}
