import { join } from 'node:path';
import { workFolder } from '../../bench-folder.js';
import type { Scope } from './scope.js';

/** The notebook's steps in Python. */
export const NOTEBOOK = 'notebook';

/** What the command line is told for each file of ours, gzip level 9 where there is one. */
export const PACK_SIDES = [
  { side: 'prune h5', file: 'model.h5', args: ['--level', '9'] },
  { side: 'prune msgpack, csr-gzip', file: 'gzip.prune', args: ['--codec', 'csr-gzip', '--level', '9'] },
  { side: 'prune msgpack, entropy fast', file: 'fast.prune', args: ['--codec', 'entropy', '--preset', 'fast'] },
  { side: 'prune msgpack, entropy max', file: 'max.prune', args: ['--codec', 'entropy', '--preset', 'max'] },
] as const;

/** Where a side leaves its file; `load` reads it. */
export function packedFile(model: string, scope: Scope, side: string): string {
  const folder = join(workFolder, 'packed', `${model}-${scope}`);
  const ours = PACK_SIDES.find((known) => known.side === side);
  if (ours !== undefined) return join(folder, ours.file);
  return join(folder, 'notebook', scope === 'encoder' ? 'squad_sparse.h5' : 'squad_sparse_with_embs.h5');
}
