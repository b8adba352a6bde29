import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** For wrangler, so that it asks nobody anything. */
export const WRANGLER_ENV = { WRANGLER_SEND_METRICS: 'false', CI: 'true' };

/**
 * Starts a Cloudflare Worker with `wrangler dev`, which runs it in workerd; returns its answer to `request` as text.
 */
export async function askWorker(folder, request, env) {
  const port = await freePort();
  const args = ['wrangler', 'dev', '--port', String(port), '--show-interactive-dev-session=false'];
  const wrangler = spawn('npx', args, {
    cwd: folder,
    env: { ...process.env, ...env },
    // A group of its own, which ends with it: npx, wrangler and workerd.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [wrangler.stdout, wrangler.stderr]) stream.on('data', (text) => (said += text));
  try {
    for (const end = performance.now() + 120_000; ; await setTimeout(500)) {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        method: 'POST',
        body: JSON.stringify(request),
      }).catch(() => undefined);
      if (response?.ok) return await response.text();
      if (response !== undefined || performance.now() > end || wrangler.exitCode !== null) {
        throw new Error(`the worker gave ${response?.status ?? 'no answer'}: ${await response?.text()}\n${said}`);
      }
    }
  } finally {
    process.kill(-wrangler.pid, 'SIGKILL');
  }
}

/** A port that nobody listens on: wrangler tells a program nothing of the one that it would choose. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
