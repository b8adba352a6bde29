import type { ManifestFile, ManifestModel } from './manifest.js';

/**
 * What models must agree on to share the block of a file, in words: its length, and for a block that lacks a
 * vocabulary the block that has it.
 */
export function describeFile({ length, vocabulary }: ManifestFile, { files }: Pick<ManifestModel, 'files'>): string {
  if (vocabulary === undefined) return `file of ${length} bytes`;
  const holder = files?.find(({ name }) => name === vocabulary);
  return `file of ${length} bytes with the vocabulary of block ${holder?.block}`;
}
