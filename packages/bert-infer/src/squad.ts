export { evaluateSquad, type SquadEvaluation, type SquadScores } from './squad/evaluate-squad.js';
export { normalizeAnswer } from './squad/normalize-answer.js';
export { readSquad, type SquadDataset, type SquadExample } from './squad/read-squad.js';
export { type AnswerScore, scoreAnswer } from './squad/score-answer.js';
