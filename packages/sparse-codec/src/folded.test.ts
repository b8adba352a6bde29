import { expect, test } from 'vitest';
import { folded, foldedOrigin, unfolded, unfoldedOrigin } from './folded.js';

test.each([
  [0, 0],
  [1, 1],
  [-1, 2],
  [2, 3],
  [-2, 4],
  [2 ** 39, 2 ** 40 - 1],
  [-(2 ** 39), 2 ** 40],
])('%i is %i, and as an origin with its sign turned round', (n, number) => {
  // Not toBe, which tells 0 from -0: the coders do not.
  expect(folded(n) === number && unfolded(number) === n).toBe(true);
  expect(foldedOrigin(-n) === number && unfoldedOrigin(number) === -n).toBe(true);
});
