import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PruneError } from '@prune/state-dict';
import { workFolder } from '../bench-folder.js';
import { runChild } from '../harness/run-child.js';

/** What the bench measures against: exact versions, installed on demand, 0.4 GB. They are no dependency of the workspace. */
export const PEERS: Readonly<Record<string, string>> = {
  'onnxruntime-node': '1.30.0',
  'onnxruntime-web': '1.30.0',
};

/** The peers, installed. */
export interface Peers {
  readonly folder: string;
  /** A peer's main module, as `require` gives it. */
  load(name: string): unknown;
  /** The path of a file that a peer's package exports. */
  resolve(specifier: string): string;
}

/**
 * Installs {@link PEERS} into the bench's own folder unless they are there, with npm, their install scripts not run (those would fetch GPU libraries).
 * Throws `io` when npm cannot.
 */
export async function ensurePeers(log: (line: string) => void = () => {}): Promise<Peers> {
  const folder = join(workFolder, 'peers');
  const manifest = join(folder, 'package.json');
  const wanted = `${JSON.stringify({ private: true, dependencies: PEERS }, null, 2)}\n`;
  const installed =
    existsSync(join(folder, 'node_modules')) && existsSync(manifest) && (await readFile(manifest, 'utf8')) === wanted;
  if (!installed) {
    const names = Object.entries(PEERS).map(([name, version]) => `${name}@${version}`);
    log(`installing ${names.join(' and ')} into ${folder} (0.4 GB, once)`);
    await mkdir(folder, { recursive: true });
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const args = [
      'install',
      '--prefix',
      folder,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--save-exact',
      ...names,
    ];
    await runChild(npm, args, { timeoutSeconds: 600 }).catch((cause) => {
      throw new PruneError('io', { where: 'peers', what: 'npm could not install them', cause });
    });
    // Last: what says that all of them are there.
    await writeFile(manifest, wanted);
  }
  const require = createRequire(join(folder, 'package.json'));
  return { folder, load: (name) => require(name), resolve: (specifier) => require.resolve(specifier) };
}
