import { expect, test } from 'vitest';
import * as api from './index.js';

test('the public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_ANSWER_OPTIONS",
      "DEFAULT_COMPARE_MODELS_OPTIONS",
      "TEXTS_AT_ONCE",
      "answer",
      "bertConfig",
      "classify",
      "classifyTokens",
      "compareModels",
      "embed",
      "loadModel",
    ]
  `);
});
