import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { PruneError } from '@prune/core';
import { checkPath } from '@prune/core/node';
import { isFile } from './is-file.js';
import { sentenceFolder } from './sentence-folder.js';

/**
 * The files of a folder that can hold its tensors, in the order in which `from_pretrained` looks for them; each may be
 * gzipped (`.gz`).
 */
export const CHECKPOINT_FILES: readonly string[] = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/** Where optimum and transformers.js put a folder's ONNX models. */
const ONNX_FOLDER = 'onnx';
/** Names of files in a message. */
const SHOWN = 20;

/** A checkpoint that was found. */
export interface LocatedCheckpoint {
  readonly isFolder: boolean;
  /** The folder that was named, or that of the file's config: where modules.json is. */
  readonly root: string;
  /** Where config.json and the tokenizer's files are: `root`, or a folder below it that modules.json names. */
  readonly folder: string;
  /** The file of tensors, or their index, from `folder`. */
  readonly file: string;
}

/**
 * The file of tensors at a path, which can be one itself or a folder. In a folder without any of
 * {@link CHECKPOINT_FILES}, it is the only `.onnx` file there or in its folder `onnx`.
 * Throws `missing`, `io`, and `invalid-argument` for several `.onnx` files, which it lists.
 */
export async function locateCheckpoint(path: string): Promise<LocatedCheckpoint> {
  checkPath(path);
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw new PruneError('io', { where: path, what: cause.message, cause });
    throw new PruneError('missing', { where: path, what: 'no such file or folder', cause });
  });
  if (!found.isDirectory()) return locateBeside(path);
  const folder = join(path, (await sentenceFolder(path))?.transformer ?? '');
  for (const file of CHECKPOINT_FILES.flatMap((name) => [name, `${name}.gz`])) {
    if (await isFile(join(folder, file))) return { isFolder: true, root: path, folder, file };
  }
  const models = [...(await onnxFiles(folder)), ...(await onnxFiles(folder, ONNX_FOLDER))];
  if (models.length === 1) return { isFolder: true, root: path, folder, file: models[0] };
  if (models.length > 1) {
    const listed = models.slice(0, SHOWN).join(', ');
    throw new PruneError('invalid-argument', {
      where: path,
      what: 'several ONNX models in the folder',
      got: models.length > SHOWN ? `${listed} and ${models.length - SHOWN} more` : listed,
      wanted: 'the path of one of them',
    });
  }
  throw new PruneError('missing', {
    where: folder,
    what: 'no checkpoint in the folder',
    wanted: `${CHECKPOINT_FILES.join(', ')} or model.onnx`,
  });
}

/** A file's config lies beside it, or one folder up when the file is in a folder `onnx`. */
async function locateBeside(path: string): Promise<LocatedCheckpoint> {
  const folder = dirname(path);
  const file = basename(path);
  const above = join(folder, '..');
  const inOnnxFolder = basename(folder) === ONNX_FOLDER && extname(file) === '.onnx';
  if (inOnnxFolder && !(await isFile(join(folder, 'config.json'))) && (await isFile(join(above, 'config.json')))) {
    return { isFolder: false, root: above, folder: above, file: join(ONNX_FOLDER, file) };
  }
  return { isFolder: false, root: folder, folder, file };
}

/** The `.onnx` files of a folder or of one below it, by name. */
async function onnxFiles(folder: string, below = ''): Promise<string[]> {
  const names = await readdir(join(folder, below)).catch(() => []);
  const found: string[] = [];
  for (const name of names.sort()) {
    if (extname(name) === '.onnx' && (await isFile(join(folder, below, name)))) found.push(join(below, name));
  }
  return found;
}
