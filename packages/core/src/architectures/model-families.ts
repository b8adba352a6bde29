import { BERT } from './bert.js';
import { DISTILBERT } from './distilbert.js';
import type { FamilyModules } from './family-modules.js';
import { ROBERTA } from './roberta.js';

/** The families whose modules we know, by the `model_type` that transformers gives them. */
export const MODEL_FAMILIES = ['bert', 'distilbert', 'roberta'] as const;

export type ModelFamily = (typeof MODEL_FAMILIES)[number];

/**
 * The one home of every family's names: checkpoints, quantization and inference derive what they need from this table.
 * Another family needs a file like bert.ts, an entry here and one in model-types.ts.
 */
export const FAMILY_MODULES: Readonly<Record<ModelFamily, FamilyModules>> = {
  bert: BERT,
  distilbert: DISTILBERT,
  roberta: ROBERTA,
};
