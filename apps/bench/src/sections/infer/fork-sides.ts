import { type ForkedSide, forkSide } from './fork-side.js';
import type { SideSpec } from './side.js';

/** A runtime in Python that is installed and does not start: its side is left out. */
export type OnMissing = (side: string, why: string) => void;

/**
 * Starts every side, one after another. When one of Node does not start, closes the others and throws what that one
 * threw.
 */
export async function forkSides(specs: ReadonlyMap<string, SideSpec>, onMissing: OnMissing): Promise<ForkedSide[]> {
  const sides: ForkedSide[] = [];
  for (const [name, spec] of specs) {
    try {
      sides.push(await forkSide(name, spec));
    } catch (error) {
      if ('python' in spec && error instanceof Error) onMissing(name, error.message);
      else {
        await Promise.all(sides.map((side) => side.close()));
        throw error;
      }
    }
  }
  return sides;
}
