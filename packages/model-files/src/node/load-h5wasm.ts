/** The h5wasm build that works on host files, loaded and started only when a command needs it. */
export async function loadH5wasm() {
  const h5wasm = await import('h5wasm/node');
  await h5wasm.ready;
  return h5wasm;
}
