import type { PackMode } from '../src/wasm/pack-linear.js';

/** Every form of a stream. */
export const PACK_MODES: readonly PackMode[] = [
  { profile: 'fbgemm', dot4: false },
  { profile: 'qnnpack', dot4: false },
  { profile: 'fbgemm', dot4: true },
];
