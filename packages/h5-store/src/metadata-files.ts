import {
  type JsonObject,
  type ModelMetadata,
  PruneError,
  parseJson,
  QUANTIZATION_PROFILES,
  type ReadableMap,
  TOKENIZER_FILES,
} from '@prune/core';

/** The notebook's file of PyTorch's module versions. */
export const MODULES_FILE = 'metadata.json';
/** The Hugging Face configuration. */
export const CONFIG_FILE = 'config.json';
/** What the notebook has no place for: the quantization profile. Its loader never looks at it. */
export const PRUNE_FILE = 'prune.json';

/**
 * The files that belong beside an HDF5 file, by name. The HDF5 file cannot hold them: the notebook's loader takes every entry for a tensor.
 * Throws `unsupported` for a file of another name than a tokenizer's, which nobody would find again.
 */
export async function metadataFiles(metadata: ModelMetadata, where = 'h5-store'): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const json = (value: unknown, indent?: number) =>
    new TextEncoder().encode(`${JSON.stringify(value, null, indent)}\n`);
  if (metadata.modules !== undefined) files.set(MODULES_FILE, json(metadata.modules));
  if (metadata.config !== undefined) files.set(CONFIG_FILE, json(metadata.config, 2));
  if (metadata.profile !== undefined) files.set(PRUNE_FILE, json({ profile: metadata.profile }));
  for (const name of metadata.files?.keys() ?? []) {
    const bytes = TOKENIZER_FILES.includes(name) ? await metadata.files?.get(name) : undefined;
    if (bytes === undefined) {
      throw new PruneError('unsupported', {
        where,
        what: 'no place for this file beside an HDF5 file',
        got: name,
        wanted: TOKENIZER_FILES.join(', '),
      });
    }
    files.set(name, bytes);
  }
  return files;
}

/** The metadata in the files beside an HDF5 file: the inverse of {@link metadataFiles}. Throws `corrupt` for a file that is no JSON object. */
export async function metadataOf(files: ReadableMap<Uint8Array>): Promise<ModelMetadata> {
  const names = new Set(files.keys());
  async function json(name: string): Promise<JsonObject | undefined> {
    const bytes = names.has(name) ? await files.get(name) : undefined;
    return bytes === undefined ? undefined : parseJson(bytes, name);
  }
  const prune = await json(PRUNE_FILE);
  const profile = QUANTIZATION_PROFILES.find((known) => known === prune?.profile);
  if (prune?.profile !== undefined && profile === undefined) {
    throw new PruneError('unsupported', {
      where: PRUNE_FILE,
      what: 'profile',
      got: String(prune.profile),
      wanted: QUANTIZATION_PROFILES.join(', '),
    });
  }
  const tokenizer = TOKENIZER_FILES.filter((name) => names.has(name));
  return {
    config: await json(CONFIG_FILE),
    modules: await json(MODULES_FILE),
    profile,
    files:
      tokenizer.length === 0
        ? undefined
        : { keys: () => tokenizer, get: (name) => (tokenizer.includes(name) ? files.get(name) : undefined) },
  };
}
