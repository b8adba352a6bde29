import { dirname, join } from 'node:path';
import { TOKENIZER_FILES } from '@prune/core';
import { CONFIG_FILE, MODULES_FILE, PRUNE_FILE } from '../metadata-files.js';

/** Every file that can belong to the HDF5 file at `path` and would lie beside it, there or not. */
export function pathsBesideH5(path: string): string[] {
  return [MODULES_FILE, CONFIG_FILE, PRUNE_FILE, ...TOKENIZER_FILES].map((name) => join(dirname(path), name));
}
