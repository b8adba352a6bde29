import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A Python that has the modules which were asked for. */
export interface Python {
  readonly command: string;
}

/** What the notebook imports. */
const NOTEBOOK_MODULES = ['torch', 'transformers', 'safetensors', 'h5py', 'scipy', 'numpy'];

/**
 * The Python at `PRUNE_PYTHON`, or `python3`, if it has all of `modules` (default: what the notebook imports); else the reason why there is none, as a sentence.
 * Only looks for the modules: nothing is imported or installed.
 */
export async function findPython(
  env: NodeJS.ProcessEnv = process.env,
  modules: readonly string[] = NOTEBOOK_MODULES,
): Promise<Python | { readonly missing: string }> {
  const command = env.PRUNE_PYTHON || 'python3';
  const script = `import importlib.util as u, json; print(json.dumps([m for m in ${JSON.stringify(modules)} if u.find_spec(m) is None]))`;
  try {
    const { stdout } = await promisify(execFile)(command, ['-c', script], { timeout: 30_000 });
    const missing: string[] = JSON.parse(stdout);
    if (missing.length === 0) return { command };
    return { missing: `${command} has no ${missing.join(', ')}` };
  } catch {
    return { missing: `there is no ${command}` };
  }
}
