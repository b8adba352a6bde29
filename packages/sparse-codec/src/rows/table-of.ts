import type { CodecGroup, NamedInfo } from '@prune/core';
import { floatsGroup, floatsTable } from './floats-table.js';
import { quantizedGroup, quantizedTable } from './quantized-table.js';
import { LEAST_ROWS, type Table } from './table.js';

/** The table that these tensors are, or `undefined`. */
export function tableOf(infos: readonly NamedInfo[]): Table | undefined {
  const table = floatsTable(infos) ?? quantizedTable(infos);
  return table !== undefined && table.rows >= LEAST_ROWS && table.rowBytes > 0 ? table : undefined;
}

/** The block that a tensor belongs into. */
export function groupOf(info: NamedInfo): CodecGroup | undefined {
  return floatsGroup(info) ?? quantizedGroup(info);
}
