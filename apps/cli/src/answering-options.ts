import { DEFAULT_ANSWER_OPTIONS } from '@prune/bert-infer';
import { Option } from 'commander';
import { finiteNumber, positiveInteger } from './inference-options.js';

/** How answers are looked for, by the flags of {@link answeringOptions}. */
export interface AnsweringFlags {
  readonly maxAnswerLength: number;
  readonly maxLength: number;
  readonly stride: number;
  readonly threshold: number;
}

/** What says how answers are looked for. */
export function answeringOptions(): readonly Option[] {
  const { maxAnswerLength, maxLength, stride, noAnswerThreshold } = DEFAULT_ANSWER_OPTIONS;
  const tokens = (flag: string, what: string, otherwise: number) =>
    new Option(`${flag} <tokens>`, what).argParser(positiveInteger).default(otherwise);
  return [
    tokens('--max-answer-length', 'most tokens of an answer', maxAnswerLength),
    tokens('--max-length', 'most tokens of a window', maxLength),
    tokens('--stride', 'from the start of one window to the next', stride),
    new Option('--threshold <score>', 'how much better "no answer" must score to win')
      .argParser(finiteNumber)
      .default(noAnswerThreshold),
  ];
}
