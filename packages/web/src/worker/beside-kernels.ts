import { PruneError } from '@prune/core';
import { shownUrl } from '../http/shown-url.js';

/**
 * The WebAssembly of kernels as files beside the one that this code was bundled into, `wasm/relaxed.wasm` for
 * `wasm-relaxed`. A page fetches only what it runs, and not as base64: 18 kB of 70, with gzip 11 of 48.
 * Throws `io` when a file cannot be fetched.
 */
export async function besideKernels(kernels: string): Promise<Uint8Array> {
  const url = new URL(`./wasm/${kernels.replace('wasm-', '')}.wasm`, import.meta.url);
  const wanted = 'the folder wasm beside plain.js';
  let response: Response;
  try {
    response = await fetch(url);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new PruneError('io', { where: shownUrl(url), what: 'the kernels could not be fetched', wanted, cause });
  }
  const got = `status ${response.status}`;
  throw new PruneError('io', { where: shownUrl(url), what: 'the kernels could not be fetched', got, wanted });
}
