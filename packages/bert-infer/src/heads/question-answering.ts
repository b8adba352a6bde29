import type { ParameterNames, Tensor } from '@prune/core';
import { scatterTokens } from '../batch/scatter-tokens.js';
import type { BertConfig } from '../config/bert-config.js';
import type { ModuleReader } from '../weights/read-modules.js';
import type { Head, LoadLinear } from './head.js';

/** `qa_outputs`: hidden state to a start and an end logit. */
export async function questionAnsweringHead(
  modules: ModuleReader,
  names: ParameterNames,
  { hiddenSize }: BertConfig,
  load: LoadLinear,
): Promise<Head> {
  const name = names.questionAnswering;
  const outputs = load(await modules.linear(name, 2, hiddenSize), name);
  return {
    name: 'question-answering',
    logits(hidden, batch) {
      const both = scatterTokens(outputs.apply(hidden), 2, batch).data;
      const column = (offset: number): Tensor<'float32'> => {
        const data = new Float32Array(batch.batch * batch.length);
        for (let i = 0; i < data.length; i++) data[i] = both[2 * i + offset];
        return { dtype: 'float32', shape: [batch.batch, batch.length], data };
      };
      return { head: 'question-answering', start_logits: column(0), end_logits: column(1) };
    },
  };
}
