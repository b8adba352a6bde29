import { spawnSync } from 'node:child_process';

/** Runs a program; returns its stdout. Throws when it fails, and with `quiet` when it writes to stderr. */
export function runTool(command, args, { cwd, env = {}, quiet = false }) {
  // Settings of the npm or pnpm that runs this check are not those of a user's project; where packages come from stays.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_/i.test(name) || /registry|cafile|proxy|cache/i.test(name),
  );
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (error !== undefined || status !== 0) {
    const said = error?.message ?? `${stdout}${stderr}`;
    throw new Error(`${[command, ...args].join(' ')} ended with status ${status}:\n${said}`);
  }
  if (quiet && stderr !== '') throw new Error(`${[command, ...args].join(' ')} wrote to stderr:\n${stderr}`);
  return stdout;
}
