import { inflate, inflateSync } from 'node:zlib';

/** Below this many bytes Node's buffers are parts of a pool. */
const POOLED = 4096;

/** Node's zlib, at once: BERT-base's 337 chunks take 41 ms so, and 47 to 75 ms of time, 60 of processor time, on the four threads of its pool. */
export function nodeInflate(bytes: Uint8Array, length: number): Uint8Array {
  return own(inflateSync(bytes, optionsFor(length)));
}

/** Node's zlib in its pool: for the chunks of a table, of 1 MiB each. */
export function nodeInflateBeside(bytes: Uint8Array, length: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    inflate(bytes, optionsFor(length), (error, data) => (error ? reject(error) : resolve(own(data))));
  });
}

/** One byte more than wanted tells too much from enough. All in one piece, of zlib's least size or more: many are held twice when they are joined. */
function optionsFor(length: number) {
  return { maxOutputLength: length + 1, chunkSize: Math.max(64, length + 1) };
}

function own(data: Uint8Array): Uint8Array {
  return data.byteLength < POOLED
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
