import type { ByteSource } from '@prune/core';
import type { Manifest, ManifestModel } from './container/manifest.js';
import { type ContainerOptions, openContainer } from './container/open-container.js';

/** A model of a container, without its tensors. */
export interface ModelSummary {
  /** `undefined` when the file has one model without a name. */
  readonly name: string | undefined;
  readonly tensors: number;
  /** Bytes of its blocks. */
  readonly storedBytes: number;
  /** Of these, the bytes that no other model of the file uses, and that lie in the file. */
  readonly ownBytes: number;
  /** Of these, the bytes that another model of the file uses too, and that lie in the file. */
  readonly sharedBytes: number;
  /** Of these, the bytes that lie in another file. */
  readonly baseBytes: number;
}

/** What a container holds, without its tensors. */
export interface ContainerSummary {
  readonly version: 1 | 2;
  /** The SHA-256 of the manifest; `undefined` for version 1. */
  readonly integrity: string | undefined;
  readonly fileBytes: number;
  /** Bytes of the blocks that lie in the file. */
  readonly blockBytes: number;
  readonly models: readonly ModelSummary[];
  /** The files that have blocks of this one, as it names them. */
  readonly bases: readonly string[];
}

/** Reads the manifest of a container and no more. Closes the source. Throws as `openMsgpackStore` does. */
export async function summarizeContainer(
  source: ByteSource,
  options: ContainerOptions = {},
): Promise<ContainerSummary> {
  const { version, integrity, size, manifest, close } = await openContainer(source, options);
  await close();
  const users = manifest.blocks.map(() => 0);
  for (const model of manifest.models) for (const block of blocksOf(model)) users[block]++;
  const models = manifest.models.map((model) => summaryOf(model, manifest, users));
  const blockBytes = manifest.blocks.reduce((sum, { base, length }) => (base === undefined ? sum + length : sum), 0);
  return { version, integrity, fileBytes: size, blockBytes, models, bases: manifest.bases };
}

function summaryOf(model: ManifestModel, { blocks }: Manifest, users: readonly number[]): ModelSummary {
  const bytes = { ownBytes: 0, sharedBytes: 0, baseBytes: 0 };
  for (const block of blocksOf(model)) {
    const { length, base } = blocks[block];
    const kind = base !== undefined ? 'baseBytes' : users[block] > 1 ? 'sharedBytes' : 'ownBytes';
    bytes[kind] += length;
  }
  const storedBytes = bytes.ownBytes + bytes.sharedBytes + bytes.baseBytes;
  return { name: model.name, tensors: model.entries.length, storedBytes, ...bytes };
}

function blocksOf({ entries, files = [] }: ManifestModel): ReadonlySet<number> {
  return new Set([...entries, ...files].flatMap(({ block }) => block ?? []));
}
