import { type Section, table, text } from '../../document/document.js';
import { formatCount, formatSeconds } from '../../document/format.js';
import type { Accuracy } from './measure-accuracy.js';

/** What the embedded model answers, from every store and codec. */
export function describeAccuracy({ model, data, rows, pytorch }: Accuracy): Section {
  return {
    id: 'accuracy',
    title: 'Accuracy',
    blocks: [
      text(
        `${model} answers ${formatCount(rows[0]?.questions ?? 0)} questions of ${data} from every file. Each answer, its place in the text and the bits of its score are the ` +
          "same from all of them; the report would not have been made otherwise. PyTorch's figures are for all 300 questions.",
      ),
      table(
        'Exact match and F1',
        ['from|', 'exact match', 'F1', 'all questions in'],
        [
          ...rows.map(({ form, exact, f1, seconds }) => [
            form,
            exact.toFixed(2),
            f1.toFixed(2),
            formatSeconds(seconds),
          ]),
          ...Object.entries(pytorch).map(([engine, { exact, f1 }]) => [
            `PyTorch, ${engine}`,
            exact.toFixed(2),
            f1.toFixed(2),
            '-',
          ]),
        ],
      ),
    ],
  };
}
