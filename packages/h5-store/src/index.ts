export { type CreateH5Options, createH5Store, type H5StoreWriter } from './create-h5-store.js';
export type { H5Metadata, H5Wasm, H5WasmFileSystem, H5WasmModule, H5WasmSource } from './h5wasm/h5-wasm.js';
export { metadataFiles, metadataOf } from './metadata-files.js';
export { type OpenH5Options, openH5Store } from './open-h5-store.js';
export { H5_DEFAULTS, type H5WriteOptions } from './write/defaults.js';
