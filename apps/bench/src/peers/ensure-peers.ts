import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PruneError } from '@prune/core';
import { workFolder } from '../bench-folder.js';
import { runChild } from '../harness/run-child.js';

/**
 * What the bench measures against: exact versions, installed on demand, 0.6 GB. They are no dependency of the
 * workspace.
 */
export const PEERS: Readonly<Record<string, string>> = {
  '@huggingface/transformers': '4.3.2',
  'onnxruntime-node': '1.30.0',
  'onnxruntime-web': '1.30.0',
};

/** The peers, installed. */
export interface Peers {
  /** With a package.json and node_modules. */
  readonly folder: string;
}

const FOLDER = join(workFolder, 'peers');
const MANIFEST = join(FOLDER, 'package.json');
const WANTED = `${JSON.stringify({ private: true, dependencies: PEERS }, null, 2)}\n`;

/** The peers where they are installed, in exactly these versions; `undefined` where they are not. */
export async function installedPeers(): Promise<Peers | undefined> {
  if (!existsSync(join(FOLDER, 'node_modules')) || !existsSync(MANIFEST)) return undefined;
  if ((await readFile(MANIFEST, 'utf8')) !== WANTED) return undefined;
  return { folder: FOLDER };
}

/**
 * Installs {@link PEERS} into the bench's own folder unless they are there, with npm, their install scripts not run (those would fetch GPU libraries).
 * Throws `io` when npm cannot.
 */
export async function ensurePeers(log: (line: string) => void = () => {}): Promise<Peers> {
  const installed = await installedPeers();
  if (installed !== undefined) return installed;
  const names = Object.entries(PEERS).map(([name, version]) => `${name}@${version}`);
  log(`installing ${names.join(', ')} into ${FOLDER} (0.6 GB, once)`);
  await mkdir(FOLDER, { recursive: true });
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['install', '--prefix', FOLDER, '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', ...names];
  await runChild(npm, args, { timeoutSeconds: 600 }).catch((cause) => {
    throw new PruneError('io', { where: 'peers', what: 'npm could not install them', cause });
  });
  // Last: what says that all of them are there.
  await writeFile(MANIFEST, WANTED);
  return { folder: FOLDER };
}
