import type { Engine } from '../engine.js';
import type { OpenParts } from '../open-parts.js';
import { activate } from './activate.js';
import { layerNorm } from './layer-norm.js';
import { softmax } from './softmax.js';

/** The functions outside an encoder, which every engine has from here: they take a small part of a model's time. */
export function engineFunctions(parts: OpenParts): Pick<Engine, 'layerNorm' | 'softmax' | 'activate'> {
  return {
    layerNorm(x, parameters, eps) {
      parts.check();
      return layerNorm(x, parameters, eps);
    },
    softmax(x, columns) {
      parts.check();
      return softmax(x, columns);
    },
    activate(x, activation) {
      parts.check();
      return x.map((value) => activate(value, activation));
    },
  };
}
