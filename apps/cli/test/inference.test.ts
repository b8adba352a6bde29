import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embed, TEXTS_AT_ONCE } from '@prune/bert-infer';
import type { Tensor } from '@prune/core';
import { goldenPath, modelPath, readNpz } from '@prune/fixtures';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as progress from '../src/console/progress.js';
import { withBert } from '../src/model/load-bert.js';
import { runPrune } from './run-prune.js';

let folder: string;
const at = (name: string) => join(folder, name);
const run = async (...args: string[]) => {
  const result = await runPrune(...args);
  expect(result.stderr).toBe('');
  expect(result.status).toBe(0);
  return result.stdout;
};
const json = async (...args: string[]) => JSON.parse(await run(...args, '--json'));

// golden/tiny has no tokenizer; a vocabulary of its size makes it one that answers, if only nonsense.
const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '.', '?', ...'abcdefghijklmnopqrstuvwxyz'];
const vocabulary = Array.from({ length: 997 }, (_, i) => words[i] ?? `word${i}`).join('\n');
const golden = readNpz(goldenPath('tiny/logits.npz')) as Map<string, Tensor>;
const rows = (key: string) => {
  const { shape, data } = golden.get(key)!;
  return Array.from({ length: shape[0] }, (_, i) =>
    Array.from(data.subarray(i * shape[1], (i + 1) * shape[1]), Number),
  );
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-inference-'));
  for (const name of ['config.json', 'model.safetensors']) cpSync(goldenPath(`tiny/${name}`), at(`tiny/${name}`));
  writeFileSync(at('tiny/vocab.txt'), vocabulary);
  await run('pack', at('tiny'), '-o', at('tiny.prune'), '--quiet');
  await run('pack', at('tiny'), '-o', at('no-embeddings.prune'), '--exclude', 'embeddings', '--quiet');
  const inputs = { input_ids: rows('ids'), attention_mask: rows('mask'), token_type_ids: rows('tt') };
  writeFileSync(at('ids.json'), JSON.stringify(inputs));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(['answer', 'eval', 'embed', 'classify', 'logits'])('%s --help', async (command) => {
  expect(await run(command, '--help')).toContain(`Usage: prune ${command}`);
});

describe('logits', () => {
  const farthest = (found: number[][], key: string) => {
    const differences = found.flat().map((value, i) => Math.abs(value - Number(golden.get(key)!.data[i])));
    expect(differences).toHaveLength(golden.get(key)!.data.length);
    return Math.max(...differences);
  };

  test.each([
    // About twice what is measured; golden-models.test.ts of @prune/bert-infer says why.
    ['fbgemm', 'tiny.prune', ['--profile', 'fbgemm'], 2.5e-7],
    ['qnnpack', 'tiny.prune', ['--profile', 'qnnpack', '--threads', '2'], 1e-3],
    ['float', 'tiny', [], 1e-6],
  ])("are PyTorch's: %s", async (engine, file, flags, tolerance) => {
    const { start_logits, end_logits } = await json('logits', at(file), '--input', at('ids.json'), ...flags);
    expect(farthest(start_logits, `${engine}.start`)).toBeLessThanOrEqual(tolerance);
    expect(farthest(end_logits, `${engine}.end`)).toBeLessThanOrEqual(tolerance);
  });

  test('--wide: the same bits', async () => {
    const logits = (...flags: string[]) => run('logits', at('tiny.prune'), '--input', at('ids.json'), ...flags);
    expect(await logits('--wide')).toBe(await logits());
  });

  test('the same text from the file as the notebook wrote it and from ours, with embeddings or handed them', async () => {
    const ours = await run('logits', at('tiny.prune'), '--input', at('ids.json'));
    expect(await run('logits', goldenPath('tiny/squad_sparse_with_embs.h5'), '--input', at('ids.json'))).toBe(ours);
    const handed = ['--embeddings-from', at('tiny'), '--input', at('ids.json')];
    expect(await run('logits', goldenPath('tiny/squad_sparse.h5'), ...handed)).toBe(ours);
    expect(await run('logits', at('no-embeddings.prune'), ...handed)).toBe(ours);
  });

  test('hidden states, and padding that is skipped', async () => {
    const flags = ['--input', at('ids.json'), '--hidden-states', '--skip-padding'];
    const { hidden_states, start_logits } = await json('logits', at('tiny.prune'), ...flags);
    expect([hidden_states.length, hidden_states[2].length, hidden_states[2][0].length]).toEqual([3, 5, 48]);
    expect(start_logits[3].slice(7)).toEqual(Array(41).fill(0));
    expect(start_logits[3][6]).not.toBe(0);
  });

  test.each([
    [
      'an id that is no word',
      '{"input_ids": [[997]]}',
      /input_ids\[0\]\[0\] is out of range, got 997, wanted .* 0 to 996/,
    ],
    ['an empty row', '{"input_ids": [[]]}', /input_ids\[0\] has no token/],
    ['no ids', '{}', /not inputs of a model/],
    ['no JSON', '{', /not JSON/],
  ])('%s: exit 2', async (_, text, message) => {
    writeFileSync(at('bad.json'), text);
    const { status, stdout, stderr } = await runPrune('logits', at('tiny.prune'), '--input', at('bad.json'));
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  test('a file packed without embeddings says what is missing', async () => {
    const { status, stderr } = await runPrune('logits', at('no-embeddings.prune'), '--input', at('ids.json'));
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /no-embeddings\.prune: not in the model, .*--embeddings-from.*bert\.embeddings\.word_embeddings\.weight/,
    );
  });
});

/**
 * Questions of mini-qa, in the file's order, to which PyTorch gives the same answer in every engine.
 * Exact match and F1 are those of PyTorch's answers, by the official script.
 */
const ASKED = [
  { id: '56cf2c09aab44d1400b88dbf', exact: 0, f1: 6 / 11 },
  { id: '56cf2c09aab44d1400b88dc0', exact: 0, f1: 0 },
  { id: '56cf2c09aab44d1400b88dc1', exact: 1, f1: 1 },
  { id: '56cf57c2aab44d1400b89096', exact: 0, f1: 1 / 2 },
  { id: '56cff757234ae51400d9c19b', exact: 1, f1: 1 },
  { id: '56cfb0d5234ae51400d9be82', exact: 1, f1: 1 },
];
const squad: {
  data: { paragraphs: { context: string; qas: { id: string; question: string; answers: { text: string }[] }[] }[] }[];
} = JSON.parse(readFileSync(modelPath('mini-qa/dev-squad.json'), 'utf8'));
const asked = ASKED.map(({ id }) => {
  for (const { context, qas } of squad.data.flatMap(({ paragraphs }) => paragraphs)) {
    const qa = qas.find((one) => one.id === id);
    if (qa !== undefined) return { ...qa, context };
  }
  throw new Error(`no question ${id}`);
});
const theirs: Record<string, string> = JSON.parse(
  readFileSync(modelPath('mini-qa/dev-predictions.json'), 'utf8'),
).fbgemm;

describe('mini-qa', () => {
  beforeAll(async () => {
    await run('pack', modelPath('mini-qa'), '-o', at('mini-qa.prune'), '--quiet');
    const qas = new Set(ASKED.map(({ id }) => id));
    const paragraphs = squad.data
      .flatMap(({ paragraphs }) => paragraphs)
      .map((paragraph) => ({ ...paragraph, qas: paragraph.qas.filter(({ id }) => qas.has(id)) }));
    writeFileSync(at('some.json'), JSON.stringify({ version: '1.1', data: [{ paragraphs }] }));
  });

  test.each([
    ['mini-qa.prune', () => at('mini-qa.prune'), asked.slice(-2)],
    ['the checkpoint', () => modelPath('mini-qa'), asked.slice(-1)],
  ])("answers from %s are PyTorch's: text, place and candidates", async (_, path, some) => {
    for (const { id, question, context } of some) {
      const found = await json('answer', path(), '--question', question, '--context', context, '--n-best', '3');
      const start = context.indexOf(theirs[id]);
      expect(context.indexOf(theirs[id], start + 1)).toBe(-1);
      expect(found).toMatchObject({ text: theirs[id], start, end: start + theirs[id].length, windows: 1 });
      expect(found.nBest).toHaveLength(3);
      expect(found.nBest[0]).toMatchObject({ text: theirs[id], start });
    }
  });

  test('as text: the answer, then how likely it is and where, then other candidates', async () => {
    const { id, question, context } = asked.at(-1)!;
    const flags = ['--question', question, '--context', context, '--n-best', '2'];
    const lines = (await run('answer', at('mini-qa.prune'), ...flags)).split('\n');
    const details = /^ {2}[\d.]+ ?%, score -?\d+\.\d\d, characters \d+ to \d+$/;
    expect(lines).toEqual([
      theirs[id],
      expect.stringMatching(details),
      expect.stringContaining(theirs[id]),
      expect.stringMatching(details),
      '',
    ]);
    expect(lines[1]).toMatch(/, characters 106 to 109$/);
    expect(lines[2]).not.toBe(theirs[id]);
  });

  test("eval: scores of the official script, PyTorch's answers, a line for each example", async () => {
    const files = ['--predictions', at('theirs.json'), '--examples', at('theirs.jsonl')];
    const against = ['--against', modelPath('mini-qa/dev-predictions.json')];
    const result = await json('eval', at('mini-qa.prune'), at('some.json'), ...files, ...against);
    const mean = (name: 'exact' | 'f1') => (100 * ASKED.reduce((sum, scores) => sum + scores[name], 0)) / ASKED.length;
    expect(result).toMatchObject({ exact: mean('exact'), exact_match: mean('exact'), total: ASKED.length });
    expect(result.f1).toBeCloseTo(mean('f1'), 10);
    expect(result.comparison).toEqual({ equal: ASKED.length, nearTies: [], different: [] });
    const predictions = Object.fromEntries(ASKED.map(({ id }) => [id, theirs[id]]));
    expect(JSON.parse(readFileSync(at('theirs.json'), 'utf8'))).toEqual(predictions);
    const lines = readFileSync(at('theirs.jsonl'), 'utf8').trim().split('\n');
    const examples = lines.map((line) => JSON.parse(line));
    expect(examples).toEqual(result.examples);
    expect(examples.map(({ id }) => id)).toEqual(ASKED.map(({ id }) => id));
    const wanted = asked.map(({ id, question, answers }, i) => {
      return { id, question, gold: [answers[0].text], text: theirs[id], exact: ASKED[i].exact, f1: ASKED[i].f1 };
    });
    expect(examples).toEqual(wanted.map((example) => expect.objectContaining(example)));
  });

  test('eval against answers of which one is another', async () => {
    const [{ id }] = ASKED;
    const others = { ...theirs, [id]: 'no such answer' };
    writeFileSync(at('others.json'), JSON.stringify(others));
    const text = await run('eval', at('mini-qa.prune'), at('some.json'), '--against', at('others.json'));
    expect(text).toMatch(/^exact match 50\.00, F1 67\.42 \(6 questions\)/);
    expect(text).toContain('5 answers equal, 0 near ties (less than 1 apart), 1 different\n');
    expect(text).toContain(`  ${id}: "Parks and Recreation", theirs "no such answer", not among ours\n`);
  });
});

describe('answer', () => {
  const question = ['--question', 'a b?'];

  test('a long text in windows, from a file as from the command line', async () => {
    // 303 tokens, of which 122 go into a window of 128 beside the question.
    const context = `${'c d e f. '.repeat(60)}word40 g.`;
    writeFileSync(at('context.txt'), context);
    const result = await json('answer', at('tiny.prune'), ...question, '--context', context, '--n-best', '3');
    expect(result.windows).toBe(3);
    expect(await json('answer', at('tiny.prune'), ...question, '--file', at('context.txt'), '--n-best', '3')).toEqual(
      result,
    );
    expect(await run('answer', at('tiny.prune'), ...question, '--context', context)).toMatch(/\n3 windows\n$/);
  });

  test('a text that may hold no answer', async () => {
    const flags = [...question, '--context', 'c d', '--unanswerable', '--threshold', '-1000'];
    expect(await json('answer', at('tiny.prune'), ...flags)).toMatchObject({ text: '' });
    expect(await run('answer', at('tiny.prune'), ...flags)).toContain('(no answer)');
  });

  test.each([
    ['no text', question, /--context or --file/],
    ['two texts', [...question, '--context', 'x', '--file', 'y'], /--context or --file/],
    ['an empty text', [...question, '--context', ' '], /context has no token/],
    ['a file that is not there', [...question, '--file', 'absent.txt'], /absent\.txt: no such file/],
    ['a text that is not UTF-8', [...question, '--file', '_latin1.txt'], /latin1\.txt: not UTF-8/],
    ['a count of 0', [...question, '--context', 'x', '--n-best', '0'], /at least 1/],
  ])('%s: exit 2', async (_, flags, message) => {
    writeFileSync(at('latin1.txt'), Uint8Array.of(0x63, 0xe9));
    const placed = flags.map((flag) => (flag === '_latin1.txt' ? at('latin1.txt') : flag));
    const { status, stderr } = await runPrune('answer', at('tiny.prune'), ...placed);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('a signal, after two of the windows', () => {
  const asked = ['--question', 'a?', '--context', 'a b c d e f g h '.repeat(20), '--max-length', '32', '--stride', '8'];

  async function ended(...flags: string[]) {
    let steps = 0;
    const step = () => {
      if (++steps === 2) process.emit('SIGINT', 'SIGINT');
    };
    const bar = vi.spyOn(progress, 'progressBar').mockReturnValue({ total() {}, step, stop() {} });
    const { status, stdout, stderr } = await runPrune('answer', at('tiny.prune'), ...asked, ...flags);
    bar.mockRestore();
    expect([status, stderr]).toEqual([
      130,
      'prune: ended by Ctrl-C, a partial result was printed, no file was written\n',
    ]);
    return stdout;
  }

  test('answer says the best answer of these', async () => {
    const { partial, windowsDone, windows, ...found } = JSON.parse(await ended('--json'));
    expect([partial, windowsDone]).toEqual([true, 2]);
    expect(windows).toBeGreaterThan(10);
    // In the tokens of both windows: 27 of context from 0, and from 8.
    expect(found.end).toBeLessThanOrEqual(2 * 36);
    expect(found.text).toBe(asked[3].slice(found.start, found.end));
    expect(found.nBest).toHaveLength(1);
    const text = await ended();
    expect(text).toMatch(/^partial, 2 of \d+ windows\n[a-h ]+\n {2}[\d.]+ %, score .*\n$/);
    expect(text).toContain(`windows\n${found.text}\n`);
  });
});

describe('eval', () => {
  const qas = [
    { id: 'one', question: 'a?', answers: [{ text: 'c d', answer_start: 0 }] },
    { id: 'two', question: 'b?', answers: [{ text: 'word50', answer_start: 4 }] },
  ];

  beforeAll(() => {
    const squad = { version: '1.1', data: [{ paragraphs: [{ context: 'c d word50 e.', qas }] }] };
    writeFileSync(at('squad.json'), JSON.stringify(squad));
  });

  test('a path that cannot be written is said before the work, and nothing is left of the other', async () => {
    const files = ['--predictions', at('early.json'), '--examples', at('absent/examples.jsonl')];
    const { status, stderr } = await runPrune('eval', at('absent.prune'), at('squad.json'), ...files);
    expect(status).toBe(2);
    expect(stderr).toMatch(/absent\/examples\.jsonl: ENOENT/);
    expect(readdirSync(folder).filter((name) => name.includes('early'))).toEqual([]);
  });

  test.each([
    ['no SQuAD file', { input_ids: [] }, /bad\.json: not a SQuAD file: data, got nothing, wanted a list/],
    ['no JSON', '{"data": [', /bad\.json: not JSON: .+/],
    ['no questions', { data: [] }, /bad\.json: no questions/],
    [
      'a question on nothing',
      { data: [{ paragraphs: [{ context: ' ', qas }] }] },
      /question one: context has no token/,
    ],
  ])('%s: exit 2', async (_, file, message) => {
    writeFileSync(at('bad.json'), typeof file === 'string' ? file : JSON.stringify(file));
    const { status, stderr } = await runPrune('eval', at('tiny.prune'), at('bad.json'));
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

test('eval: a blank question counts as unanswered and is named once', async () => {
  const answers = [{ text: 'c d', answer_start: 0 }];
  const qas = [
    { id: 1, question: 'a?', answers },
    { id: 2, question: ' \u200b', answers },
  ];
  const squad = { version: 1.1, data: [{ paragraphs: [{ context: 'c d word50 e.', qas }] }] };
  writeFileSync(at('blank.json'), JSON.stringify(squad));
  const files = ['--predictions', at('blank-predictions.json')];
  const text = await run('eval', at('tiny.prune'), at('blank.json'), ...files);
  expect(text).toMatch(/\(2 questions\) in .*\n {2}blank, so not answered \(counted as wrong\): 2\n$/);
  expect(Object.keys(JSON.parse(readFileSync(at('blank-predictions.json'), 'utf8')))).toEqual(['1']);
  expect(await json('eval', at('tiny.prune'), at('blank.json'))).toMatchObject({ total: 2, unanswered: ['2'] });
});

describe('embed', () => {
  test('a line for each text; a file and arguments; as JSON', async () => {
    // As Notepad on Windows writes it.
    writeFileSync(at('texts.txt'), '\ufeffc d\r\ne f\r\n');
    const lines = (await run('embed', at('tiny.prune'), 'a b', '--file', at('texts.txt'))).trim().split('\n');
    const vectors = lines.map((line) => JSON.parse(line));
    expect(vectors.map((vector) => vector.length)).toEqual([64, 64, 64]);
    expect(await json('embed', at('tiny.prune'), 'a b', 'c d', 'e f')).toEqual({ embeddings: vectors });
  });
  test('normalized', async () => {
    const [vector] = (await json('embed', at('tiny.prune'), 'a', '--normalize')).embeddings;
    expect(vector.reduce((sum: number, value: number) => sum + value * value, 0)).toBeCloseTo(1, 6);
  });
  test('many texts: in their order, with the bits of the array form', async () => {
    const many = Array.from({ length: TEXTS_AT_ONCE + 5 }, (_, i) => 'a '.repeat(1 + ((i * 7) % 11)).trim());
    writeFileSync(at('many.txt'), many.join('\n'));
    const wanted = await withBert(at('tiny.prune'), {}, (model) => embed(model, many));
    const lines = (await run('embed', at('tiny.prune'), '--file', at('many.txt'))).trim().split('\n');
    expect(lines.map((line) => Float32Array.from(JSON.parse(line)))).toEqual(wanted);
    const { embeddings } = await json('embed', at('tiny.prune'), '--file', at('many.txt'));
    expect(embeddings.map((vector: number[]) => Float32Array.from(vector))).toEqual(wanted);
  });
  test('a text that cannot be embedded, after some that were: exit 2, and the JSON is whole and partial', async () => {
    const many = [...Array.from({ length: TEXTS_AT_ONCE }, () => 'a'), 'a '.repeat(999)];
    writeFileSync(at('long.txt'), many.join('\n'));
    const asked = ['embed', at('tiny.prune'), '--file', at('long.txt')];
    const { status, stdout, stderr } = await runPrune(...asked, '--json');
    const line = `line ${TEXTS_AT_ONCE + 1} of ${at('long.txt')}: text is longer than the model`;
    expect([status, stderr]).toEqual([2, expect.stringContaining(line)]);
    const { embeddings, ...rest } = JSON.parse(stdout);
    expect([embeddings.length, rest]).toEqual([TEXTS_AT_ONCE, { partial: true }]);
    expect((await runPrune(...asked)).stdout.trim().split('\n')).toHaveLength(TEXTS_AT_ONCE);
  });
  test('a blank line would shift the vectors: refused with its number', async () => {
    writeFileSync(at('blank.txt'), 'c d\n  \ne f\n');
    const { status, stdout, stderr } = await runPrune('embed', at('tiny.prune'), '--file', at('blank.txt'));
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/blank\.txt: line 2 is blank, wanted one text a line/);
  });
  test('no text: exit 2', async () => {
    expect(await runPrune('embed', at('tiny.prune'))).toMatchObject({ status: 2, stdout: '' });
  });
});

test('classify says which head is missing', async () => {
  const { status, stderr } = await runPrune('classify', at('tiny.prune'), 'a');
  expect(status).toBe(2);
  expect(stderr).toMatch(/got question-answering, wanted sequence-classification/);
});

test('a RoBERTa folder with vocab.json and merges.txt goes through both stores and answers as it is', async () => {
  for (const name of ['config.json', 'model.safetensors', 'vocab.json', 'merges.txt', 'tokenizer_config.json']) {
    cpSync(goldenPath(`roberta/${name}`), at(`roberta/${name}`));
  }
  const [{ question, context, answer: expected }] = JSON.parse(
    readFileSync(goldenPath('roberta/answers.json'), 'utf8'),
  );
  const asked = ['--question', question, '--context', context, '--n-best', '5'];
  expect((await json('answer', at('roberta'), ...asked)).text).toBe(expected.text);
  await run('pack', at('roberta'), '-o', at('roberta.prune'), '--quiet');
  mkdirSync(at('h5'));
  await run('pack', at('roberta'), '-o', at('h5/roberta.h5'), '--quiet');
  const packed = await json('answer', at('roberta.prune'), ...asked);
  expect(await json('answer', at('h5/roberta.h5'), ...asked)).toEqual(packed);
  expect(packed.text).toBe(context.slice(packed.start, packed.end));
});
