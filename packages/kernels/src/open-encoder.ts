import { closedError } from './closed-error.js';
import type { OpenParts } from './open-parts.js';
import type { Encoder, EncoderOutput, ForwardOptions } from './spec/encoder.js';

/** What an engine computes an encoder's passes with, until it is closed. */
export interface EncoderWork {
  readonly hidden: number;
  readonly layers: number;
  readonly memoryBytes: number;
  forward(input: Float32Array, lengths: ArrayLike<number>, options: ForwardOptions): Promise<EncoderOutput>;
  /** Lets the passes finish that were called before, and lets go of everything. Called once. */
  close(): Promise<void>;
}

/** An encoder that is one of an engine's parts. It lets go of its work when it is closed. */
export function openEncoder(work: EncoderWork, parts: OpenParts): Encoder {
  const { hidden, layers } = work;
  let open: EncoderWork | undefined = work;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= open?.close().finally(() => parts.delete(close));
    open = undefined;
    return closing!;
  };
  parts.add(close);
  return {
    hiddenSize: hidden,
    layers,
    get memoryBytes() {
      return open?.memoryBytes ?? 0;
    },
    async forward(input, lengths, options = {}) {
      if (open === undefined) throw closedError('encoder');
      return open.forward(input, lengths, options);
    },
    close,
  };
}
