import { checkArgument } from '../errors/check-argument.js';

/**
 * Throws `invalid-argument` for what cannot be read by name: a path, a promise, an open checkpoint in place of its
 * `tensors`. `what` names the argument.
 */
export function checkReadableMap(where: string, what: string, map: unknown): void {
  const { keys, get } = (map ?? {}) as { readonly keys?: unknown; readonly get?: unknown };
  const wanted = "a Map, or an object with keys and get, such as an open store or an open checkpoint's tensors";
  checkArgument(typeof keys === 'function' && typeof get === 'function', { where, what, wanted }, map);
}
