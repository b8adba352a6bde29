import type { Tensor } from '@prune/core';
import { modelPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { loadModel, type StoredModel } from '../src/model/load-model.js';
import { embed } from '../src/text/embed.js';
import { miniEmbed, miniEmbedFloat, readMiniEmbed } from './mini-embed.js';
import { readSafetensors } from './read-safetensors.js';

const sentences: string[] = readMiniEmbed('sentences.json');
const reference = readSafetensors(modelPath('mini-embed/reference.safetensors'));

/** The cosine of each sentence's embedding, computed alone as PyTorch did, with PyTorch's. Both have length 1. */
async function cosines(stored: StoredModel, theirs: Tensor, texts: readonly string[]): Promise<number[]> {
  const model = await loadModel(stored);
  const width = theirs.shape[1];
  const found: number[] = [];
  for (const [row, text] of texts.entries()) {
    const ours = await embed(model, text);
    found.push(ours.reduce((sum, value, i) => sum + value * Number(theirs.data[row * width + i]), 0));
  }
  await model.close();
  return found;
}

test('float32 embeddings are those of PyTorch, pooled and normalized as the folder says', async () => {
  const found = await cosines(miniEmbedFloat(), reference.get('float32')!, sentences.slice(0, 16));
  expect(Math.min(...found)).toBeGreaterThan(1 - 1e-5);
});

// A last bit that moves in LayerNorm or softmax can move an activation by one code.
test('int8 embeddings are as near to those of PyTorch as the card says', async () => {
  const found = await cosines(await miniEmbed(), reference.get('fbgemm')!, sentences);
  expect(found).toHaveLength(64);
  expect(Math.min(...found)).toBeGreaterThan(0.992);
  expect(found.reduce((sum, cosine) => sum + cosine, 0) / found.length).toBeGreaterThan(0.999);
});
