import { isPruneError } from '@prune/core';
import { MESSAGE_TYPE } from '../format/message-type.js';
import { headerMessages } from '../read/header-messages.js';
import type { BudgetedFile } from '../read/read-budget.js';
import { readSuperblock } from '../read/read-superblock.js';
import { visitSymbols } from '../read/visit-symbols.js';
import { checkDense } from './check-dense.js';

/**
 * Throws `limit` for a root group with more names than the file's budget or limits allow: HDF5 copies them all into its
 * memory when it lists the group. HDF5 judges what we cannot read.
 */
export function checkNames(file: BudgetedFile): void {
  try {
    for (const message of headerMessages(file, readSuperblock(file))) {
      const { type, body } = message;
      if (type === MESSAGE_TYPE.symbolTable) visitSymbols(file, body, () => {});
      if (type === MESSAGE_TYPE.linkInfo || type === MESSAGE_TYPE.attributeInfo) checkDense(file, message);
    }
  } catch (error) {
    if (isPruneError(error)) throw error;
  }
}
