import { expect, test } from 'vitest';
import * as api from './squad.js';

test('the public API for SQuAD', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "evaluateSquad",
      "normalizeAnswer",
      "readSquad",
      "scoreAnswer",
    ]
  `);
});
