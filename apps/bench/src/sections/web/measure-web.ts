import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { answer, loadModel } from '@prune/bert-infer';
import { readSquad } from '@prune/bert-infer/squad';
import { PruneError, writeStore } from '@prune/core';
import { createStore, openStore } from '@prune/model-files/node';
import { workFolder } from '../../bench-folder.js';
import { interleave, ratios, type Side } from '../../harness/interleave.js';
import { type Summary, summarize } from '../../harness/summary.js';
import type { BenchModel } from '../../model/bench-model.js';
import { elementaryOf } from '../../model/elementary-of.js';
import type { Peers } from '../../peers/ensure-peers.js';
import { onnxFile } from '../infer/onnx-file.js';
import { packedModel } from '../infer/packed-model.js';
import { BROWSERS, type WebBrowser } from './browsers.js';
import { type SlowLine, slowLine } from './slow-line.js';
import { type Visit, visitPage } from './visit-page.js';
import { OURS_ON_THE_WEB, type WebAgreement, type WebReport, type WebRow } from './web-report.js';
import { OUR_CODE, ourSide, transformersSide, type WebRequest, type WebSide } from './web-side.js';

/** Options of {@link measureWeb}. */
export interface MeasureWebOptions {
  readonly rounds: number;
  /** Left out: ours alone. */
  readonly peers?: Peers;
  readonly log?: (line: string) => void;
}

/** The line of the issue: a mobile connection. */
const LINE = { bitsPerSecond: 10e6, latency: 0.04 };
/** A question of dev-squad.json that both sides answer alike, and how much of its paragraph is asked. */
const QUESTION = '56cf2ba4aab44d1400b88dbb';
const CONTEXT_WORDS = 150;
/** Milliseconds from the first answer to the second visit: what a visitor leaves a page for what it keeps. */
const BETWEEN_VISITS = 2000;

interface Round {
  readonly first: Visit;
  readonly second: Visit;
  /** After a visit that fetched the rest. */
  readonly whole?: Visit;
}

/**
 * Opens a page of each side in every browser that this machine has, over a slow line, with a new profile each time.
 * Throws `mismatch` when ours does not answer with
 * Node's bits or the peer answers another text, and `missing` without a browser.
 */
export async function measureWeb(
  model: BenchModel,
  { rounds, peers, log = () => {} }: MeasureWebOptions,
): Promise<{ report: WebReport; versions: Record<string, string>; missing: string[] }> {
  const request = await webRequest(model.folder);
  const packed = await packedForWeb(model);
  const ours = await ourSide(packed, request);
  const sides = [ours];
  if (peers !== undefined) {
    const graph = await onnxFile(model.name, await packedModel(model), model.sha256, 'int8', { transformers: true });
    sides.push(await transformersSide(peers, { graph, folder: model.folder, request }));
  }
  const expected = await answerOfNode(packed, request);
  const agreement: WebAgreement[] = [];
  const rows: WebRow[] = [];
  const versions: Record<string, string> = {};
  const missing: string[] = [];
  for (const browser of BROWSERS) {
    const path = browser.find();
    if (path === undefined) {
      missing.push(browser.name);
      continue;
    }
    versions[browser.name] = await versionOf(browser, path);
    agreement.push(...(await proveAgreement(browser, path, sides, expected)));
    log(`web: ${versions[browser.name]}: ${sides.length === 1 ? "Node's bits" : 'both sides answer alike'}`);
    rows.push(...(await measureBrowser(browser, path, { sides, rounds, log })));
  }
  if (rows.length === 0)
    throw new PruneError('missing', { where: 'web', what: 'no browser', wanted: missing.join(', ') });
  const report: WebReport = {
    model: model.name,
    fileBytes: (await stat(packed)).size,
    codeBytes: OUR_CODE.reduce((sum, name) => sum + ours.files.get(`/ours/${name}`)!.bytes.length, 0),
    line: LINE,
    question: request.question,
    contextWords: CONTEXT_WORDS,
    agreement,
    rows,
  };
  return { report, versions, missing };
}

async function measureBrowser(
  { name, launch }: WebBrowser,
  path: string,
  { sides, rounds, log }: { sides: readonly WebSide[]; rounds: number; log: (line: string) => void },
): Promise<WebRow[]> {
  const line = await slowLine(sides, { bandwidth: LINE.bitsPerSecond / 8, latency: 1000 * LINE.latency });
  const runs = await interleave(
    sides.map(
      (side): Side<Round> => ({
        name: side.name,
        async run() {
          const browser = await launch(path);
          try {
            const first = await visitPage(browser, line, side, BETWEEN_VISITS);
            const second = await visitPage(browser, line, side);
            const { wholePage } = side;
            if (wholePage === undefined) return { first, second };
            await visitPage(browser, line, { ...side, page: wholePage }, BETWEEN_VISITS);
            return { first, second, whole: await visitPage(browser, line, side) };
          } finally {
            await browser.close();
          }
        },
      }),
    ),
    // Proving the agreement has opened everything once.
    { rounds, warmup: 0, onRound: (done, all) => log(`web: ${name}: round ${done} of ${all}`) },
  ).finally(() => line.close());
  const seconds = (side: string) => runs.get(side)!.map(({ first }) => first.seconds);
  const peer = sides.find((side) => side.name !== OURS_ON_THE_WEB)?.name;
  return [...runs].map(([side, visits]): WebRow => {
    const most = (of: (round: Round) => number) => Math.max(...visits.map(of));
    const row = {
      browser: name,
      side,
      first: summarize(seconds(side)),
      second: summarize(visits.map(({ second }) => second.seconds)),
      secondOverFirst: summarize(visits.map(({ first, second }) => second.seconds / first.seconds)),
      bytes: most(({ first }) => first.bytes),
      modelBytes: most(({ first }) => first.modelBytes),
      secondBytes: most(({ second }) => second.bytes),
      longestTask: most(({ first }) => first.longestTask),
      ...wholeOf(visits),
    };
    if (side !== OURS_ON_THE_WEB || peer === undefined) return row;
    const timesFaster: Summary = summarize(ratios(seconds(peer), seconds(side)));
    return { ...row, timesFaster };
  });
}

function wholeOf(visits: readonly Round[]): Pick<WebRow, 'whole'> {
  const found = visits.flatMap(({ first, whole }) => (whole === undefined ? [] : { first, whole }));
  if (found.length === 0) return {};
  return {
    whole: {
      seconds: summarize(found.map(({ whole }) => whole.seconds)),
      overFirst: summarize(found.map(({ first, whole }) => whole.seconds / first.seconds)),
      bytes: Math.max(...found.map(({ whole }) => whole.bytes)),
    },
  };
}

/** Both sides once, over a fast line. */
async function proveAgreement(
  { name, launch }: WebBrowser,
  path: string,
  sides: readonly WebSide[],
  expected: { readonly text: string; readonly score: number },
): Promise<WebAgreement[]> {
  const line: SlowLine = await slowLine(sides, {});
  try {
    const browser = await launch(path);
    try {
      const found: WebAgreement[] = [];
      for (const side of sides) {
        const { text, score } = await visitPage(browser, line, side);
        found.push({ browser: name, side: side.name, text, score });
        // The peer's text is put together from tokens, which are lower-case and have spaces around punctuation.
        const isSame =
          side.name === OURS_ON_THE_WEB
            ? text === expected.text && score === expected.score
            : letters(text) === letters(expected.text);
        if (!isSame) {
          throw new PruneError('mismatch', {
            where: `web: ${name}: ${side.name}`,
            what: 'another answer than in Node',
            got: `${text}, ${score}`,
            wanted: `${expected.text}, ${expected.score}`,
          });
        }
      }
      return found;
    } finally {
      await browser.close();
    }
  } finally {
    await line.close();
  }
}

function letters(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

async function versionOf({ launch }: WebBrowser, path: string): Promise<string> {
  const browser = await launch(path);
  try {
    return await browser.version();
  } finally {
    await browser.close();
  }
}

async function webRequest(folder: string): Promise<WebRequest> {
  const path = join(folder, 'dev-squad.json');
  const { examples } = readSquad(JSON.parse(await readFile(path, 'utf8')), path);
  const found = examples.find(({ id }) => id === QUESTION);
  if (found === undefined) throw new PruneError('missing', { where: path, what: 'no such question', wanted: QUESTION });
  const { question, context } = found;
  return { question, context: context.split(' ').slice(0, CONTEXT_WORDS).join(' ') };
}

/** The whole model as `prune pack --codec entropy` makes it, made anew. */
async function packedForWeb({ name, folder }: BenchModel): Promise<string> {
  const target = join(workFolder, 'web');
  await mkdir(target, { recursive: true });
  const path = join(target, `${name}.prune`);
  const { elementary, metadata } = await elementaryOf(folder, 'whole');
  await writeStore(await createStore(path, { force: true, codec: 'entropy' }), elementary, metadata);
  return path;
}

async function answerOfNode(path: string, request: WebRequest): Promise<{ text: string; score: number }> {
  const store = await openStore(path);
  try {
    const model = await loadModel(store);
    const { text, score } = await answer(model, request);
    await model.close();
    return { text, score };
  } finally {
    await store.close();
  }
}
