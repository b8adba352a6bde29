import { isPruneError } from '@prune/core';
import { MESSAGE_TYPE } from '../format/message-type.js';
import { headerMessages } from '../read/header-messages.js';
import type { BudgetedFile } from '../read/read-budget.js';
import { readSuperblock } from '../read/read-superblock.js';
import { visitSymbols } from '../read/visit-symbols.js';

/**
 * Throws `limit` for a root group whose symbol table has more names than the file's budget or limits allow: HDF5 copies
 * them all into its memory when it lists the group. Links in a fractal heap are not seen here; HDF5 judges what we
 * cannot read.
 */
export function checkNames(file: BudgetedFile): void {
  try {
    for (const { type, body } of headerMessages(file, readSuperblock(file)))
      if (type === MESSAGE_TYPE.symbolTable) visitSymbols(file, body, () => {});
  } catch (error) {
    if (isPruneError(error)) throw error;
  }
}
