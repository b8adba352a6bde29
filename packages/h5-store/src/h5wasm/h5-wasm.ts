/**
 * The part of h5wasm (0.10) that is used here. Both of its builds, `h5wasm` (files in memory) and `h5wasm/node` (files of the host), are one:
 * the module as imported or its default export.
 */
export interface H5Wasm {
  readonly ready: Promise<H5WasmModule>;
}

/**
 * h5wasm handed in: itself, or what loads it, such as `() => import('h5wasm')`. It is loaded for files that this package's own reader does not know:
 * loading and starting it takes longer than reading a model.
 *
 * HDF5 is written in C and has faults that a file made for them can reach: it can read wrong values afterwards, crash,
 * or never return, though it cannot leave its WebAssembly memory. Where strangers' files are opened, hand in `null`, and
 * such files are `unsupported`. `crashes` is how often h5wasm has crashed in this process: a source that loads another
 * instance for every number can read further files.
 */
export type H5WasmSource = H5Wasm | ((crashes: number) => H5Wasm | Promise<H5Wasm>);

/** h5wasm's low-level module. Its high-level classes are not used: they drop the status of a failed read and return uninitialised memory. */
export interface H5WasmModule {
  readonly HEAPU8: Uint8Array;
  readonly FS: H5WasmFileSystem;
  readonly H5F_ACC_RDONLY: number;
  readonly H5G_DATASET: number;
  open(path: string, mode: number, trackOrder: boolean, libverLow: number, libverHigh: number): bigint;
  close_file(file: bigint): number;
  get_names(file: bigint, path: string, recursive: boolean): string[];
  get_type(file: bigint, path: string): number;
  get_attribute_names(file: bigint, path: string): string[];
  get_dataset_metadata(file: bigint, path: string): H5Metadata;
  get_dataset_filters(file: bigint, path: string): { id: number; name: string; cd_values: number[] }[];
  get_dataset_data(file: bigint, path: string, count: null, offset: null, strides: null, pointer: bigint): number;
  get_attribute_metadata(file: bigint, path: string, name: string): H5Metadata;
  get_attribute_data(file: bigint, path: string, name: string, pointer: bigint): number;
  reclaim_vlen_memory(file: bigint, path: string, attribute: string, pointer: bigint): number;
  create_object_reference(file: bigint, path: string): ArrayLike<number>;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

/** Emscripten's file system, as far as h5wasm types it. */
export interface H5WasmFileSystem {
  unlink(path: string): void;
  analyzePath(path: string): { readonly exists: boolean };
}

/** What h5wasm says of a dataset or an attribute. */
export interface H5Metadata {
  /** HDF5's class: 0 integer, 1 float, 3 string, 8 enum. */
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly vlen: boolean;
  readonly shape: number[] | null;
  readonly chunks: number[] | null;
  readonly total_size: number;
  readonly enum_type?: { readonly nmembers: number; readonly members: { readonly [name: string]: number } };
  readonly virtual_sources?: readonly unknown[];
}
