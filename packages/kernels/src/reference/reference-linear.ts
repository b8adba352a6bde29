import { openLinear } from '../open-linear.js';
import type { OpenParts } from '../open-parts.js';
import { checkFinite } from '../spec/check-batch.js';
import { checkLinear } from '../spec/check-linear.js';
import { checkTokens } from '../spec/check-tokens.js';
import type { AnyLinear } from '../spec/encoder-spec.js';
import type { LoadedLinear } from '../spec/loaded-linear.js';
import { type LinearMode, linear } from './linear.js';

/** A Linear that computes with the reference kernels; see `Engine.loadLinear`. */
export function loadReferenceLinear(
  module: AnyLinear,
  mode: LinearMode,
  tensor: string,
  parts: OpenParts,
): LoadedLinear {
  const [rows, columns] = checkLinear(module, undefined, undefined, { tensor });
  const apply = (x: Float32Array) => {
    const tokens = checkTokens(x, columns);
    checkFinite(x, 'input of a Linear');
    const y = linear(x, tokens, module, mode);
    checkFinite(y, 'results of a Linear', tensor);
    return y;
  };
  return openLinear({ rows, memoryBytes: undefined, apply }, tensor, parts);
}
