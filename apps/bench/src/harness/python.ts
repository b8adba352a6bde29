import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A Python that can run the notebook's steps. */
export interface Python {
  readonly command: string;
}

/** What the notebook imports. */
const MODULES = ['torch', 'transformers', 'safetensors', 'h5py', 'scipy', 'numpy'];

/**
 * The Python at `PRUNE_PYTHON`, or `python3`, if it has everything that the notebook imports; else the reason why there is none, as a sentence.
 * Only looks for the modules: nothing is imported or installed.
 */
export async function findPython(env: NodeJS.ProcessEnv = process.env): Promise<Python | { readonly missing: string }> {
  const command = env.PRUNE_PYTHON || 'python3';
  const script = `import importlib.util as u, json; print(json.dumps([m for m in ${JSON.stringify(MODULES)} if u.find_spec(m) is None]))`;
  try {
    const { stdout } = await promisify(execFile)(command, ['-c', script], { timeout: 30_000 });
    const missing: string[] = JSON.parse(stdout);
    if (missing.length === 0) return { command };
    return { missing: `${command} has no ${missing.join(', ')}` };
  } catch {
    return { missing: `there is no ${command}` };
  }
}
