import { concat } from './make-torch-file.js';

/** A safetensors file with exactly this header (an object, or text that is no valid one) and this data. */
export function makeSafetensors(header: object | string, data = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(text.length), true);
  return concat([new Uint8Array(length.buffer), text, data]);
}
