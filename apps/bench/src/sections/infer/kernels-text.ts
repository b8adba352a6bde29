import { type Block, list, text } from '../../document/document.js';

/** Which kernels each side used on this machine; nothing for a report that does not say. */
export function kernelsText(kernels: Readonly<Record<string, string>> = {}): Block[] {
  const sides = Object.entries(kernels).filter(([side, name]) => !side.endsWith(name));
  if (sides.length === 0) return [];
  return [text('What was chosen on this machine:'), list(...sides.map(([side, name]) => `${side}: ${name}`))];
}
