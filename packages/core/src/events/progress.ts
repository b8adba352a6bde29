/** How far long work is. The function that reports it says what it counts: layers, windows, texts. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}
