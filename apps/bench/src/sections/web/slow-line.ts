import { type FileServer, type FileServerOptions, startFileServer } from '@prune/fixtures';
import { ANSWERED } from './web-pages.js';
import type { WebSide } from './web-side.js';

/** Bytes of bodies that one visit was sent before its answer was there. */
export interface SentBytes {
  readonly bytes: number;
  readonly modelBytes: number;
}

/** A server with the files of all sides that counts what a visit is sent. */
export interface SlowLine {
  readonly origin: string;
  /** Begins a visit: forgets what was sent. */
  begin(side: WebSide): void;
  /** What the visit was sent until the page said that its answer was there. */
  sent(): SentBytes;
  close(): Promise<void>;
}

/** Starts the server. */
export async function slowLine(sides: readonly WebSide[], options: FileServerOptions): Promise<SlowLine> {
  const files = sides.flatMap((side) => [...side.files]);
  const server: FileServer = await startFileServer(
    [...files, [ANSWERED, { bytes: new Uint8Array(), ranges: false }]],
    options,
  );
  let side: WebSide | undefined;
  let counted: SentBytes = { bytes: 0, modelBytes: 0 };
  // Asked when a request comes in: what the answer took is on its way by then, and what came later is not.
  server.fault = ({ path }) => {
    if (path === ANSWERED) {
      const sum = (entries: FileServer['log']) => entries.reduce((all, { sent }) => all + sent, 0);
      const bytes = sum(server.log);
      counted = { bytes, modelBytes: sum(server.log.filter((entry) => entry.path === side?.model)) };
    }
    return undefined;
  };
  return {
    origin: server.origin,
    begin(next) {
      side = next;
      server.log.length = 0;
    },
    sent: () => counted,
    close: () => server.close(),
  };
}
