import { open } from 'node:fs/promises';

/** What systems say that cannot sync a folder, or may not open it for reading. */
const CANNOT_SYNC = new Set(['EINVAL', 'EISDIR', 'EBADF', 'EPERM', 'EACCES', 'ENOTSUP', 'ENOSYS']);

/**
 * Makes the names in a folder survive a power cut, where the system can do that (Windows cannot). Throws what else the
 * system says.
 */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!CANNOT_SYNC.has(String((error as NodeJS.ErrnoException).code))) throw error;
  }
}
