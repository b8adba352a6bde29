/** Each instance keeps at least 16 MiB, because a module that was imported stays. */
const MOST_INSTANCES = 8;

/**
 * The h5wasm build that works on host files, loaded and started only when a command needs it. A new instance for every
 * crash, up to {@link MOST_INSTANCES}: a server goes on after a file that crashed HDF5.
 */
export async function loadH5wasm(crashes = 0) {
  const instance = Math.min(crashes, MOST_INSTANCES - 1);
  const h5wasm: typeof import('h5wasm/node') =
    instance === 0 ? await import('h5wasm/node') : await import(`${import.meta.resolve('h5wasm/node')}?${instance}`);
  await h5wasm.ready;
  return h5wasm;
}
