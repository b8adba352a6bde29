import type { OnnxGraphWriter } from '@prune/checkpoint';
import { tensor } from '@prune/core';

/**
 * Adds words, positions and segments up, with standard operators. `words`: the tokens' rows, float32. Last come the
 * tables of positions and of segments. The graph must have an input `input_ids`.
 */
export function embeddingSum(
  graph: OnnxGraphWriter,
  words: string,
  segments: string,
  [positions, types]: readonly string[],
): string {
  const [length] = graph.node('Shape', ['input_ids'], ['length_of_input'], { ints: { start: 1, end: 2 } });
  const first = graph.constant('positions.start', tensor('int64', [1], BigInt64Array.of(0n)));
  const [placed] = graph.node('Slice', [positions, first, length], ['positions.rows']);
  const [typed] = graph.node('Gather', [types, segments], ['types.rows']);
  const [both] = graph.node('Add', [words, typed], ['words_and_types']);
  return graph.node('Add', [both, placed], ['embeddings'])[0];
}
