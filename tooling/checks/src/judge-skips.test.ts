import { expect, test } from 'vitest';
import { type AllowedSkips, judgeSkips } from './judge-skips.js';

const allowed: AllowedSkips = {
  conditions: { 'no-fish': 'there is no fish.', 'no-bird': 'there is no bird.' },
  skips: [
    { file: 'pond.test.ts', test: 'fish > .*', condition: 'no-fish' },
    { file: 'pond.test.ts', test: 'fish > flies', condition: 'no-bird' },
  ],
};
const holding = (...ids: string[]) => ({
  conditions: { 'no-fish': () => ids.includes('no-fish'), 'no-bird': async () => ids.includes('no-bird') },
  isFile: () => true,
});
const pond = (name: string, skipped = true) => ({ file: 'pond.test.ts', name, skipped });

test('no tests', async () => {
  expect(await judgeSkips([], allowed, holding())).toEqual({ excused: new Map(), problems: [] });
});

test('a listed skip whose condition holds is excused, by any of its conditions', async () => {
  const [swims, flies] = [pond('fish > swims'), pond('fish > flies')];
  const { excused, problems } = await judgeSkips([swims, flies], allowed, holding('no-fish'));
  expect([excused, problems]).toEqual([new Map([['no-fish', [swims, flies]]]), []]);
  const birds = await judgeSkips([pond('fish > swims', false), flies], allowed, holding('no-bird'));
  expect([birds.excused, birds.problems]).toEqual([new Map([['no-bird', [flies]]]), []]);
});

test.each([
  [
    'a listed skip whose conditions do not hold',
    [pond('fish > flies')],
    [],
    'no condition holds here: no-fish, no-bird',
  ],
  ['a test that is not listed', [pond('fish > flies', false), pond('frog')], ['no-fish'], '"frog" is skipped and is'],
  [
    'a part of a listed name',
    [pond('fish > flies', false), pond('a fish > x')],
    ['no-fish'],
    '"a fish > x" is skipped',
  ],
  ['another file', [{ ...pond('fish > flies'), file: 'sea.test.ts' }], ['no-fish'], 'sea.test.ts: "fish > flies" is'],
  ['an entry without a test', [pond('fish > swims', false)], [], 'no test is called "fish > flies"'],
])('%s is a problem', async (_, tests, ids, words) => {
  const { excused, problems } = await judgeSkips(tests, allowed, holding(...ids));
  expect(excused).toEqual(new Map());
  expect(problems).toEqual([expect.stringContaining(words)]);
});

test('an entry whose file is not there is a problem', async () => {
  const { problems } = await judgeSkips([], allowed, { ...holding(), isFile: () => false });
  expect(problems).toEqual(Array(2).fill('pond.test.ts: there is no such file, but tests of it are listed'));
});

test('conditions that only one side knows are problems, and excuse nothing', async () => {
  const { 'no-fish': described } = allowed.conditions;
  const { 'no-bird': told } = holding().conditions;
  const list = { ...allowed, conditions: { 'no-fish': described } };
  const { excused, problems } = await judgeSkips([pond('fish > flies')], list, {
    ...holding(),
    conditions: { 'no-bird': told },
  });
  expect(excused).toEqual(new Map());
  expect(problems).toEqual([
    'condition no-fish is described, but no code tells whether it holds',
    'condition no-bird is not described',
    'pond.test.ts: unknown condition no-bird',
    'pond.test.ts: "fish > flies" is skipped and is not listed',
  ]);
});
