import {
  type JsonObject,
  jsonText,
  type ModelMetadata,
  PruneError,
  parseJson,
  QUANTIZATION_PROFILES,
  type ReadableMap,
  shown,
  TOKENIZER_FILES,
} from '@prune/core';

/** The notebook's file of PyTorch's module versions. */
export const MODULES_FILE = 'metadata.json';
/** The Hugging Face configuration. */
export const CONFIG_FILE = 'config.json';
/**
 * What the notebook has no place for: the quantization profile, sentence-transformers' files, and which files were
 * written with the model. Its loader never looks at it.
 */
export const PRUNE_FILE = 'prune.json';

/**
 * The files that belong beside an HDF5 file, by name. The HDF5 file cannot hold them: the notebook's loader takes every entry for a tensor.
 * Throws `unsupported` for a file of another name than a tokenizer's, which nobody would find again.
 */
export async function metadataFiles(metadata: ModelMetadata, where = 'h5-store'): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  if (metadata.modules !== undefined) files.set(MODULES_FILE, json(metadata.modules));
  if (metadata.config !== undefined) files.set(CONFIG_FILE, json(metadata.config, 2));
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
  return listWritten(files, metadata);
}

/**
 * The same files with a `prune.json` that lists the configuration and the tokenizer's files, but for those of
 * `notOurs`: they were there before the model and stay when it goes.
 */
export function listWritten(
  files: ReadonlyMap<string, Uint8Array>,
  { profile, sentence }: ModelMetadata,
  notOurs: readonly string[] = [],
): Map<string, Uint8Array> {
  const listed = new Map([...files].filter(([name]) => name !== PRUNE_FILE));
  const written = [...listed.keys()].filter((name) => name !== MODULES_FILE && !notOurs.includes(name));
  if (profile !== undefined || sentence !== undefined || written.length > 0) {
    listed.set(PRUNE_FILE, json({ profile, sentence, ...(written.length > 0 && { files: written }) }));
  }
  return listed;
}

function json(value: unknown, indent?: number): Uint8Array {
  return new TextEncoder().encode(`${jsonText(value, indent)}\n`);
}

/**
 * The names of the files that were written with a model, by its `prune.json`: they belong to it and go with it.
 * `metadata.json` and `prune.json` itself always do. Says only those two for a file that says something else.
 */
export function filesWrittenWith(pruneFile: Uint8Array | undefined): readonly string[] {
  let listed: unknown;
  try {
    listed = pruneFile && parseJson(pruneFile, PRUNE_FILE).files;
  } catch {
    // Not one of ours.
  }
  const known = [CONFIG_FILE, ...TOKENIZER_FILES].filter((name) => Array.isArray(listed) && listed.includes(name));
  return [MODULES_FILE, PRUNE_FILE, ...known];
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
  const { sentence } = prune ?? {};
  if (sentence !== undefined && (typeof sentence !== 'object' || sentence === null || Array.isArray(sentence))) {
    throw new PruneError('corrupt', { where: PRUNE_FILE, what: 'sentence', got: shown(sentence), wanted: 'an object' });
  }
  const tokenizer = TOKENIZER_FILES.filter((name) => names.has(name));
  return {
    config: await json(CONFIG_FILE),
    modules: await json(MODULES_FILE),
    profile,
    ...(sentence !== undefined && { sentence: sentence as JsonObject }),
    files:
      tokenizer.length === 0
        ? undefined
        : { keys: () => tokenizer, get: (name) => (tokenizer.includes(name) ? files.get(name) : undefined) },
  };
}
