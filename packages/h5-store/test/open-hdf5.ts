import { DEFAULT_LIMITS, type TensorStore } from '@prune/core';
import * as h5wasm from 'h5wasm';
import { memoryFile } from '../src/h5wasm/memory-file.js';
import { readWithH5wasm } from '../src/h5wasm/read-with-h5wasm.js';
import { pastUserBlock } from '../src/read/past-user-block.js';
import { budgetedFile } from '../src/read/read-budget.js';

/** Opens a file with HDF5's own library alone. */
export async function openHdf5(bytes: Uint8Array, name = 'file.h5'): Promise<TensorStore> {
  const { session, path, file, remove } = await memoryFile(h5wasm, bytes, name);
  return readWithH5wasm(session, {
    path,
    file: budgetedFile(pastUserBlock(file), DEFAULT_LIMITS),
    metadata: {},
    onClose: remove,
  });
}
