/** What a worker is started with. */
export interface DecodeShare {
  readonly streams: readonly Uint8Array[];
  readonly share: number;
  readonly shares: number;
}

/** What it answers: SHA-256 of the arrays, matrix after matrix, and the thread's own time. */
export interface Decoded {
  readonly hash: string;
  readonly seconds: number;
}
