import { type BertModel, embed } from '@prune/bert-infer';

/** A sentence, and the cosine of the angle between its embedding and that of a query. */
export interface Neighbour {
  readonly sentence: string;
  readonly cosine: number;
}

/** The `count` sentences whose embeddings are nearest to that of `query`, the nearest first. */
export async function nearestSentences(
  model: BertModel,
  query: string,
  sentences: readonly string[],
  count: number,
  signal: AbortSignal,
): Promise<readonly Neighbour[]> {
  const [of, ...vectors] = await embed(model, [query, ...sentences], { normalize: true, signal });
  return vectors
    .map((vector, i) => ({ sentence: sentences[i], cosine: vector.reduce((sum, value, j) => sum + value * of[j], 0) }))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, count);
}
