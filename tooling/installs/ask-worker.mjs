import { withServer } from './with-server.mjs';

/** For wrangler, so that it asks nobody anything. */
export const WRANGLER_ENV = { WRANGLER_SEND_METRICS: 'false', CI: 'true' };

/**
 * Starts a Cloudflare Worker with `wrangler dev`, which runs it in workerd; returns its answer to `request` as text.
 */
export function askWorker(folder, request, env) {
  const args = (port) => ['wrangler', 'dev', '--port', port, '--show-interactive-dev-session=false'];
  return withServer(args, { cwd: folder, env }, async (origin) => {
    const response = await fetch(origin, { method: 'POST', body: JSON.stringify(request) });
    if (!response.ok) throw new Error(`the worker gave ${response.status}: ${await response.text()}`);
    return response.text();
  });
}
