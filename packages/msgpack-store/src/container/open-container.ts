import {
  type ByteSource,
  DEFAULT_LIMITS,
  type Limits,
  locateError,
  crc32 as ownCrc32,
  PruneError,
  type RandomAccess,
  randomAccess,
} from '@prune/core';
import { type GunzipPlatform, gunzip } from '../deflate/gunzip.js';
import { type CreateSha256, runningSha256 } from '../running-sha256.js';
import { baseFiles, type OpenBase } from './base-files.js';
import { type BlockReader, blockReader } from './block-reader.js';
import { decodeManifest } from './decode-manifest.js';
import { checkIntegrity, integrityOf } from './integrity.js';
import type { Manifest } from './manifest.js';
import { decodePrologue, type FormatVersion, PROLOGUE_BYTES } from './prologue.js';

/** How a container is read. */
export interface ContainerOptions extends GunzipPlatform {
  /** For messages; the source's own name by default. */
  readonly name?: string;
  /** Default: `DEFAULT_LIMITS`. */
  readonly limits?: Limits;
  /** Default: a portable SHA-256. */
  readonly createSha256?: CreateSha256;
  /**
   * What the store's `integrity` must be, `sha256-...`: the SHA-256 of the manifest. Everything that is read is then
   * checked by SHA-256, otherwise by CRC-32 alone.
   */
  readonly integrity?: string;
  /** Opens a file that has blocks of this one, by the name that this one has for it. Closed with the store. */
  readonly openBase?: OpenBase;
}

/** A container with its manifest read. */
export interface OpenContainer extends BlockReader {
  /** For messages. */
  readonly where: string;
  readonly size: number;
  readonly version: FormatVersion;
  readonly manifest: Manifest;
  /** `undefined` for version 1, whose manifest does not cover the blocks. */
  readonly integrity: string | undefined;
  close(): Promise<void>;
}

/**
 * Reads prologue and manifest of a container of version 1 or 2. Takes over the source: `close()` closes it, and so does
 * a failed opening. Throws `unsupported`, `truncated`, `corrupt`, `limit`, `mismatch` (another integrity) with the
 * source's name.
 */
export async function openContainer(source: ByteSource, options: ContainerOptions = {}): Promise<OpenContainer> {
  const { crc32 = ownCrc32, createSha256 = runningSha256, integrity: wanted, openBase } = options;
  const bytes = randomAccess(source, options.name);
  const where = bytes.name;
  try {
    if (wanted !== undefined) checkIntegrity(wanted);
    const { version, end, manifest, integrity } = await readManifest(bytes, { ...options, crc32, createSha256 });
    const bases = baseFiles(where, manifest, openBase, (base, name) => openBaseFile(base, name, options));
    const reader = blockReader({
      source: bytes,
      manifest,
      end,
      inBase: bases.find,
      crc32,
      createSha256,
      hashed: wanted !== undefined,
    });
    const close = async () => {
      await bases.close();
      await bytes.close();
    };
    return { ...reader, where, size: bytes.size, version, manifest, integrity, close };
  } catch (error) {
    await bytes.close().catch(() => {});
    throw locateError(error, { where });
  }
}

/** Prologue and manifest as the file has them, checked. `integrity` is that of a file of version 1 too. */
export async function readEnd(
  source: RandomAccess,
  options: Pick<ContainerOptions, 'limits' | 'crc32' | 'createSha256' | 'integrity'>,
) {
  const { limits = DEFAULT_LIMITS, crc32 = ownCrc32, createSha256 = runningSha256, integrity: wanted } = options;
  const prologue = decodePrologue(await source.read(0, PROLOGUE_BYTES), source.size, limits);
  const { version, manifestOffset } = prologue;
  if (wanted !== undefined && version === 1) {
    const what = 'integrity of a file of version 1, which has no SHA-256';
    throw new PruneError('unsupported', { what, got: wanted, wanted: 'a file of version 2' });
  }
  const packed = await source.read(manifestOffset, prologue.manifestLength);
  const crc = crc32(packed);
  if (crc !== prologue.manifestCrc) {
    throw new PruneError('corrupt', { what: 'CRC-32 of the manifest', got: crc, wanted: prologue.manifestCrc });
  }
  const sum = createSha256();
  sum.update(packed);
  const integrity = integrityOf(sum.digest());
  if (wanted !== undefined && integrity !== wanted) {
    throw new PruneError('mismatch', { what: 'integrity', got: integrity, wanted });
  }
  return { prologue, packed, integrity };
}

async function readManifest(
  source: RandomAccess,
  options: ContainerOptions & Required<Pick<ContainerOptions, 'crc32' | 'createSha256'>>,
) {
  const { limits = DEFAULT_LIMITS, inflate, crc32 } = options;
  const { prologue, packed, integrity } = await readEnd(source, options);
  const { version, manifestOffset } = prologue;
  const unpacked = await gunzip(packed, {
    length: prologue.manifestDecoded,
    limit: limits.manifestBytes,
    inflate,
    crc32,
  });
  const manifest = await decodeManifest(unpacked, prologue, limits);
  return { version, end: manifestOffset, manifest, integrity: version === 1 ? undefined : integrity };
}

/** A base is read for its own blocks alone, so that files that name each other cannot keep a reader busy. */
async function openBaseFile(
  source: ByteSource,
  name: string,
  { limits, inflate, crc32, createSha256 }: ContainerOptions,
) {
  const bytes = randomAccess(source, name);
  try {
    const platform = { crc32: crc32 ?? ownCrc32, createSha256: createSha256 ?? runningSha256 };
    const { version, manifest } = await readManifest(bytes, { limits, inflate, ...platform });
    if (version === 1) {
      const what = 'a file of version 1 cannot be a base, because it has no SHA-256';
      throw new PruneError('mismatch', { what, wanted: 'the file of version 2 that the blocks were taken from' });
    }
    return { source: bytes, manifest };
  } catch (error) {
    await bytes.close().catch(() => {});
    throw locateError(error, { where: name });
  }
}
