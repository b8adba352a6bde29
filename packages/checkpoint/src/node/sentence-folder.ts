import { join, posix } from 'node:path';
import {
  isPruneError,
  isSentenceFile,
  type JsonObject,
  MODULES_JSON,
  PruneError,
  parseJson,
  parseJsonArray,
  SENTENCE_FILES,
  type SentencePipeline,
  sentenceModules,
  sentencePipeline,
} from '@prune/core';
import { readSmallFile } from './read-small-file.js';

/** A sentence-transformers folder. */
export interface SentenceFolder {
  readonly pipeline: SentencePipeline;
  /** Its JSON files by path, as if the transformer were in the folder itself. */
  readonly files: JsonObject;
  /** Where the transformer is in the folder; empty for the folder itself. */
  readonly transformer: string;
  /** The files that were read. */
  readonly paths: readonly string[];
}

// modules.json has 100 bytes a module, a module's config less than 1 kB.
const MAX_BYTES = 1 << 20;

/**
 * Reads how a folder's sentence embeddings are made; `undefined` for a folder without modules.json. Throws what
 * `sentencePipeline` of `@prune/core` throws.
 */
export async function sentenceFolder(folder: string): Promise<SentenceFolder | undefined> {
  const found = await readSmallFile(folder, MODULES_JSON, MAX_BYTES);
  if (found === undefined) return undefined;
  const listed = parseJsonArray(found.bytes, found.path) as readonly JsonObject[];
  const modules = sentenceModules(listed);
  const transformer = modules[0]?.folder ?? '';
  const files: Record<string, unknown> = { [MODULES_JSON]: [{ ...listed[0], path: '' }, ...listed.slice(1)] };
  const paths = [found.path];
  const configs = modules.slice(1).map((module) => `${module.folder}/config.json`);
  const inTransformer = SENTENCE_FILES.map((name) => posix.join(transformer, name));
  for (const path of new Set([...configs.filter(isSentenceFile), ...SENTENCE_FILES, ...inTransformer])) {
    const file = await readSmallFile(folder, path, MAX_BYTES);
    if (file === undefined) continue;
    files[inTransformer.includes(path) ? posix.basename(path) : path] = parseJson(file.bytes, file.path);
    paths.push(file.path);
  }
  return { pipeline: pipelineOf(files, folder), files, transformer, paths };
}

/** What `sentencePipeline` says of one of the files, with the folder before its path. */
function pipelineOf(files: JsonObject, folder: string): SentencePipeline {
  try {
    return sentencePipeline(files);
  } catch (error) {
    if (!isPruneError(error)) throw error;
    const { code, where = MODULES_JSON, what, got, wanted } = error;
    throw new PruneError(code, { where: join(folder, where), what, got, wanted, cause: error });
  }
}
