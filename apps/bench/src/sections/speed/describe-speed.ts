import { type Block, plot, type Section, table, text } from '../../document/document.js';
import { formatPercent, formatSeconds, formatSummary, formatTimes } from '../../document/format.js';
import { agreementTable } from '../infer/agreement-table.js';
import { firstTable } from '../infer/first-table.js';
import type { InferRow } from '../infer/infer-report.js';
import { kernelsText } from '../infer/kernels-text.js';
import { latencyTable } from '../infer/latency-table.js';
import { ONNXRUNTIME_INT8, OURS, OURS_INT16 } from '../infer/side-names.js';
import { cellName } from './cell-name.js';
import { type GoalRow, goalRows } from './goal-rows.js';
import { GOALS } from './goals.js';
import type { DensitySweep, OwnRatio, SpeedReport } from './speed-report.js';

/** The goals of speed with what was reached of them, then the figures behind each. */
export function describeSpeed(report: SpeedReport): Section {
  const { kernels, agreement, cells, own, small, densities, first } = report;
  return {
    id: 'speed',
    title: 'Speed goals',
    blocks: [
      text(
        'What native kernels should reach at least, and what they reach here. The goals were set for a processor with AVX-512 VNNI; on another one they only say how far it is from that. BERT-base has a density of 6 %. ' +
          'Sides and rounds are those of the section on inference.',
      ),
      ...kernelsText(kernels),
      goalTable(goalRows(report)),
      ...threadsAndBatches(cells).map(latencyTable),
      ownTable(own),
      ...describeSmall(small),
      ...(densities.length > 0 ? [plot('sweep', 'Milliseconds by density')] : []),
      ...densities.map(sweepTable),
      firstTable(first),
      agreementTable(agreement),
    ],
  };
}

function goalTable(rows: readonly GoalRow[]): Block {
  return table(
    'Goals',
    ['what|', 'side|', 'against|', 'at least', 'reached (quartiles)', 'met|'],
    rows.map((row) => [
      row.what,
      row.side,
      row.against,
      formatGoal(row, row.wanted),
      reached(row),
      row.met ? 'yes' : 'no',
    ]),
  );
}

function reached(row: GoalRow): string {
  if (row.times) return `${formatSummary(row.times, formatTimes)}${row.at ? `, at ${row.at}` : ''}`;
  return `${row.beyond ? `${row.beyond} ` : ''}${formatGoal(row, row.reached)}`;
}

function formatGoal({ kind }: GoalRow, value: number): string {
  return kind === 'times' ? formatTimes(value) : formatPercent(value);
}

function threadsAndBatches(rows: readonly InferRow[]): InferRow[][] {
  const groups = new Map<string, InferRow[]>();
  for (const row of rows) {
    const key = `${row.threads} ${row.batch}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

function ownTable(own: readonly OwnRatio[]): Block {
  return table(
    'Our kernels against each other, 128 tokens, one thread',
    ['side|', 'is faster than|', 'times faster (quartiles)'],
    own.map(({ slower, faster, times }) => [faster, slower, formatSummary(times, formatTimes)]),
  );
}

/** Every size of work of the small model, those that are lost or miss the goal by name. */
function describeSmall(rows: readonly InferRow[]): Block[] {
  const peers = rows.filter(({ side, oursTimesFaster }) => side === ONNXRUNTIME_INT8 && oursTimesFaster?.[OURS]);
  if (peers.length === 0) return [];
  const timesOf = (row: InferRow) => row.oursTimesFaster![OURS].median;
  const names = (chosen: readonly InferRow[]) => chosen.map(cellName).join('; ') || 'none';
  const lost = peers.filter((row) => timesOf(row) < 1);
  const missed = peers.filter((row) => timesOf(row) >= 1 && timesOf(row) < GOALS.small);
  const ours = ({ batch, tokens, threads }: InferRow, side: string) =>
    rows.find((row) => row.side === side && row.batch === batch && row.tokens === tokens && row.threads === threads)!;
  return [
    text(
      `${peers[0].model}, float32 attention. Slower than onnxruntime: ${names(lost)}. Faster, but by less than ${formatTimes(GOALS.small)}: ${names(missed)}.`,
    ),
    table(
      `${peers[0].model}: every size of work against ${ONNXRUNTIME_INT8}`,
      [
        'batch',
        'tokens',
        'threads',
        OURS,
        OURS_INT16,
        ONNXRUNTIME_INT8,
        'times faster: float32',
        'times faster: int16',
      ],
      peers.map((row) => [
        String(row.batch),
        String(row.tokens),
        String(row.threads),
        formatSeconds(ours(row, OURS).seconds.median),
        formatSeconds(ours(row, OURS_INT16).seconds.median),
        formatSeconds(row.seconds.median),
        formatSummary(row.oursTimesFaster![OURS], formatTimes),
        formatSummary(row.oursTimesFaster![OURS_INT16], formatTimes),
      ]),
    ),
  ];
}

function sweepTable({ side, tokens, peer, rows, crossover }: DensitySweep): Block {
  const always = rows.every((row) => row.seconds <= row.peerSeconds);
  const beyond = always ? 'faster at each of these densities' : 'no crossover at these densities';
  const found = crossover === null ? beyond : `as fast as dense int8 at ${formatPercent(crossover)}`;
  return table(
    `Density, ${tokens} tokens, one thread, ${side}: ${found}`,
    ['density', 'ours', peer, 'times faster'],
    rows.map((row) => [
      formatPercent(row.density),
      formatSeconds(row.seconds),
      formatSeconds(row.peerSeconds),
      formatTimes(row.peerSeconds / row.seconds),
    ]),
  );
}
