import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/**
 * Starts a server with `npx`, whose arguments `args` gives for a port, waits until it answers, and gives its address to
 * `use`. Ends it afterwards. An error of `use` says what the server has printed.
 */
export async function withServer(args, { cwd, env }, use) {
  const port = await freePort();
  const server = spawn('npx', args(String(port)), {
    cwd,
    env: { ...process.env, ...env },
    // A group of its own, which ends with it: npx and all that it starts.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => (said += text));
  try {
    const origin = `http://localhost:${port}`;
    for (const end = performance.now() + 120_000; ; await setTimeout(500)) {
      if (await fetch(origin).catch(() => undefined)) break;
      if (performance.now() > end || server.exitCode !== null) throw new Error('the server did not start');
    }
    return await use(origin);
  } catch (error) {
    throw new Error(`${error.message}\n${said}`, { cause: error });
  } finally {
    process.kill(-server.pid, 'SIGKILL');
  }
}

/** A port that nobody listens on: a server tells a program nothing of the one that it would choose. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
