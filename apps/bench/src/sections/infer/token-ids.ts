import { random } from '../../seeded/random.js';
import type { Work } from './side.js';

/** The same token ids for every side: words of BERT's vocabulary, `[CLS]` first, no padding. `[batch][tokens]` */
export function tokenIds({ batch, tokens }: Work): number[][] {
  const source = random(`tokens/${batch}/${tokens}`);
  return Array.from({ length: batch }, () =>
    Array.from({ length: tokens }, (_, i) => (i === 0 ? 101 : 1000 + (source.uint32() % 29_000))),
  );
}
