import type { BertConfig } from '../config/bert-config.js';

/** How many rows a classifier must have: as many as config.json names labels, any number where it names none. */
export function labelCount({ labels }: BertConfig): number | undefined {
  return labels.length === 0 ? undefined : labels.length;
}
