import { PassingFailure } from './passing-failure.js';
import type { Patience } from './patience.js';
import type { Answer, Asked, RemoteFile } from './remote-file.js';

/**
 * Sends a request, and again after failures that may pass. `checkOpen` throws when nobody waits for the answer any
 * more.
 */
export async function answerInTime(
  file: RemoteFile,
  asked: Asked,
  patience: Patience,
  { stop, checkOpen }: { readonly stop: AbortSignal; readonly checkOpen: () => void },
): Promise<Answer> {
  for (;;) {
    try {
      return await file.request(asked, patience.wait, stop);
    } catch (error) {
      checkOpen();
      if (!(error instanceof PassingFailure)) throw error;
      await patience.pause(error, stop);
      checkOpen();
    }
  }
}
