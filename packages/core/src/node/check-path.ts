import { checkArgument } from '../errors/check-argument.js';

/** Throws `invalid-argument` for what is not a path: nothing, a URL, bytes. */
export function checkPath(path: unknown): asserts path is string {
  const wanted = 'the name of a file or folder as text; fileURLToPath of node:url gives that of a URL';
  checkArgument(typeof path === 'string', { what: 'not a path', wanted }, path);
}
