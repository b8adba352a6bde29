import { rmSync } from 'node:fs';

/** Temporary files and folders that have not been removed or renamed yet. */
const paths = new Set<string>();

/**
 * Removes a temporary file or folder when `process.exit` ends the process before whoever made it can do so. Returns
 * what takes the request back; an event listener is there only while there is something to remove. A process that is
 * killed leaves its files to `removeLeftFiles`.
 */
export function removeAtExit(path: string): () => void {
  if (paths.size === 0) process.on('exit', removeAll);
  paths.add(path);
  return () => {
    if (paths.delete(path) && paths.size === 0) process.off('exit', removeAll);
  };
}

function removeAll(): void {
  for (const path of paths) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // The process ends either way.
    }
  }
}
