import type { BatchPlan } from './plan-batch.js';

type Size = Pick<BatchPlan['fields'], 'tiles' | 'maxKeys'>;

/** How long a layer takes, by the last layers that were measured. */
export class LayerTimes {
  #last: (Size & { readonly ms: number }) | undefined;

  /**
   * At most how many ms a layer of such a batch takes; `undefined` before the first measurement. Linears grow with the
   * tokens, attention with tokens times keys, so both are scaled as if all were attention where keys are more.
   */
  expected({ tiles, maxKeys }: Size): number | undefined {
    if (this.#last === undefined) return undefined;
    const { ms, ...last } = this.#last;
    return ms * (tiles / last.tiles) * Math.max(1, maxKeys / last.maxKeys);
  }

  add({ tiles, maxKeys }: Size, layers: number, ms: number): void {
    if (layers === 0) return;
    this.#last = { tiles, maxKeys, ms: ms / layers };
  }
}
