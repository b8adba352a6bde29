import { type ByteSink, type ByteSource, checkAborted, locateError, PruneError } from '@prune/core';
import { describeFile } from './container/describe-file.js';
import { hex } from './container/hex.js';
import {
  isBaseName,
  isModelName,
  type ManifestBlock,
  type ManifestEntry,
  type ManifestFile,
  type ManifestModel,
} from './container/manifest.js';
import { modelOfManifest } from './container/model-of-manifest.js';
import { type ContainerOptions, type OpenContainer, openContainer } from './container/open-container.js';
import { PROLOGUE_BYTES } from './container/prologue.js';
import { writeEnd } from './container/write-end.js';
import { runningSha256 } from './running-sha256.js';

/** A model that goes into a bundle. */
export interface BundledModel {
  readonly source: ByteSource;
  /** Its name in the new container. May be left out when it is the only one there. */
  readonly name?: string;
  /** Which model of its source, where that has several. */
  readonly model?: string;
  /** The name of its file, for messages. */
  readonly file?: string;
  readonly openBase?: ContainerOptions['openBase'];
}

/** A container that has blocks of the new one. */
export interface BundleBase {
  /** How the new container calls it: a path from the new container's folder, or a URL. */
  readonly name: string;
  readonly source: ByteSource;
}

/** Options of {@link bundleModels}. */
export interface BundleOptions extends Pick<ContainerOptions, 'inflate' | 'crc32' | 'createSha256' | 'limits'> {
  /** The name of the new container, for messages. */
  readonly name?: string;
  /** Blocks that these have are not stored again: they must be there whenever the new container is read. */
  readonly bases?: readonly BundleBase[];
  readonly signal?: AbortSignal;
}

/** Bytes that are copied at once. */
const PIECE_BYTES = 2 ** 18;

/**
 * Writes one container with models of other containers, each distinct block once. Blocks are copied as they are coded,
 * piece by piece, and checked on the way by their CRC-32 and SHA-256. Commits the sink, or aborts it and throws:
 * `invalid-argument` for names that are missing, wrong or equal, what reading throws, and `unsupported` for a base of
 * version 1, which has no SHA-256. Closes all sources.
 */
export async function bundleModels(
  sink: ByteSink,
  models: readonly BundledModel[],
  { name: where = 'container', bases = [], signal, ...platform }: BundleOptions = {},
): Promise<void> {
  const opened: OpenContainer[] = [];
  const open = async (source: ByteSource, options: ContainerOptions) => {
    const container = await openContainer(source, { ...platform, ...options });
    opened.push(container);
    return container;
  };
  try {
    checkNames(models);
    const blocks = blockTable(sink, platform, signal);
    for (const { name, source } of bases) {
      if (!isBaseName(name)) throw new PruneError('invalid-argument', { what: 'name of a base', got: name });
      blocks.addBase(name, await open(source, { name }));
    }
    await sink.write(new Uint8Array(PROLOGUE_BYTES));
    const bundled: ManifestModel[] = [];
    for (const { source, file, openBase, model: wanted, name } of models) {
      const container = await open(source, { name: file, openBase });
      bundled.push({ ...(await located(container, () => copyModel(container, wanted, blocks))), name });
    }
    const { end, manifest } = blocks.finish();
    await writeEnd(sink, end, { ...manifest, models: bundled }, platform.crc32);
  } catch (error) {
    await sink.abort();
    throw locateError(error, { where });
  } finally {
    for (const container of opened) await container.close();
  }
}

function checkNames(models: readonly BundledModel[]): void {
  const seen = new Set<string>();
  for (const { name } of models) {
    if (name === undefined && models.length === 1) continue;
    if (name === undefined || !isModelName(name)) {
      const wanted = 'text without #, / and \\';
      throw new PruneError('invalid-argument', { what: 'name of a model', got: name ?? 'none', wanted });
    }
    if (seen.has(name)) throw new PruneError('invalid-argument', { what: 'two models get one name', got: name });
    seen.add(name);
  }
  if (models.length === 0) throw new PruneError('invalid-argument', { what: 'a bundle without a model' });
}

async function located<T>({ where }: OpenContainer, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw locateError(error, { where });
  }
}

/** Copies the blocks of a model, and gives the model with their new numbers. */
async function copyModel(
  container: OpenContainer,
  wanted: string | undefined,
  blocks: BlockTable,
): Promise<ManifestModel> {
  const model = modelOfManifest(container.manifest, wanted);
  const { entries, files } = model;
  const held = new Map<number, (ManifestEntry | ManifestFile)[]>();
  for (const one of [...entries, ...(files ?? [])]) {
    if (one.block !== undefined) held.set(one.block, [...(held.get(one.block) ?? []), one]);
  }
  const numbers = new Map<number, number>();
  const used = new Set<number>();
  const moved = <T extends { readonly block?: number }>(one: T): T =>
    one.block === undefined ? one : { ...one, block: numbers.get(one.block)! };
  const describe = (one: ManifestEntry | ManifestFile) =>
    'dtype' in one ? `${one.dtype} [${one.shape.join()}]` : describeFile(one, { files: files?.map(moved) });
  // A vocabulary comes before the file that lacks it: models share that file only if they share the vocabulary too.
  const lacking = new Set(files?.flatMap((file) => (file.vocabulary === undefined ? [] : file.block)));
  const order = [...held.keys()].sort((a, b) => Number(lacking.has(a)) - Number(lacking.has(b)) || a - b);
  for (const block of order) {
    const number = await blocks.add(container, block, held.get(block)!.map(describe), used);
    used.add(number);
    numbers.set(block, number);
  }
  return { ...model, entries: entries.map(moved), files: files?.map(moved) };
}

/** The blocks of a container that is being written. */
interface BlockTable {
  addBase(name: string, base: OpenContainer): void;
  /**
   * The number of a block with these bytes, and with contents that are described like this. A model cannot use one
   * block for two groups of tensors, so `taken` numbers are passed over.
   */
  add(
    container: OpenContainer,
    block: number,
    contents: readonly string[],
    taken: ReadonlySet<number>,
  ): Promise<number>;
  finish(): { readonly end: number; readonly manifest: { readonly blocks: ManifestBlock[]; readonly bases: string[] } };
}

function blockTable(
  sink: ByteSink,
  { createSha256 = runningSha256 }: BundleOptions,
  signal: AbortSignal | undefined,
): BlockTable {
  const blocks: ManifestBlock[] = [];
  const numbers = new Map<string, number[]>();
  /** The names of bases, and the blocks that they have, by SHA-256. */
  const inBases = new Map<string, { readonly name: string; readonly length: number }>();
  const usedBases: string[] = [];
  let end = PROLOGUE_BYTES;

  async function sha256Of(container: OpenContainer, block: number): Promise<Uint8Array> {
    const known = container.manifest.blocks[block].sha256;
    if (known !== undefined) return known;
    // Version 1 has none. The block is read twice, because its bytes cannot be taken back once they are written.
    const sum = createSha256();
    for await (const bytes of container.pieces(block, PIECE_BYTES, signal)) sum.update(bytes);
    return sum.digest();
  }

  async function copy(container: OpenContainer, block: number): Promise<number> {
    const offset = end;
    for await (const bytes of container.pieces(block, PIECE_BYTES, signal)) {
      await sink.write(bytes);
      end += bytes.byteLength;
    }
    return offset;
  }

  return {
    addBase(name, { version, manifest, where }) {
      if (version === 1) {
        const what = 'a base of version 1, which has no SHA-256';
        throw new PruneError('unsupported', { where, what, wanted: 'a file of version 2 (prune bundle makes one)' });
      }
      for (const { sha256, length, offset } of manifest.blocks) {
        // Blocks that the base has in a base of its own are stored here.
        const key = hex(sha256!);
        if (offset !== undefined && !inBases.has(key)) inBases.set(key, { name, length });
      }
    },
    async add(container, block, contents, taken) {
      checkAborted(signal);
      const { codec, length, crc32, shares, parts } = container.manifest.blocks[block];
      const sha256 = await sha256Of(container, block);
      const key = [hex(sha256), length, codec, ...contents].join();
      const same = numbers.get(key) ?? [];
      numbers.set(key, same);
      const found = same.find((number) => !taken.has(number));
      if (found !== undefined) return found;
      const base = inBases.get(hex(sha256));
      const described = { codec, length, crc32, sha256, shares, parts };
      if (base?.length === length) {
        if (!usedBases.includes(base.name)) usedBases.push(base.name);
        same.push(blocks.push({ ...described, base: usedBases.indexOf(base.name) }) - 1);
      } else {
        same.push(blocks.push({ ...described, offset: await copy(container, block) }) - 1);
      }
      return same[same.length - 1];
    },
    finish: () => ({ end, manifest: { blocks, bases: usedBases } }),
  };
}
