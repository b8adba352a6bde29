import * as Plot from '@observablehq/plot';
import type { Summary } from '../harness/summary.js';
import type { Report } from '../report/report.js';
import { SCOPE_NAMES } from '../sections/sides/scope.js';
import type { SizeParts } from '../sections/sizes/size-row.js';

/** A plot of the page. */
export interface PagePlot {
  /** What a reader may choose between; one entry where there is nothing to choose. */
  options(report: Report): readonly string[];
  draw(report: Report, option: string, width: number): Element;
}

/** Readable on light and dark ground, and told apart by people who do not see every colour (Okabe and Ito). */
const COLORS = ['#0072b2', '#e69f00', '#009e73', '#a0a7b1', '#cc79a7', '#d55e00', '#56b4e9'];
const PARTS: readonly (keyof SizeParts)[] = ['mask', 'values', 'floats', 'overhead'];
const NARROW = 520;

/** Every plot by the name that the document calls it. */
export const PLOTS: Readonly<Record<string, PagePlot>> = {
  sizes: {
    options: ({ sizes }) => sizes!.bounds.map(({ model, scope }) => `${model}, ${SCOPE_NAMES[scope]}`),
    draw({ sizes }, option, width) {
      const { rows, bounds } = sizes!;
      const chosen = rows.filter(
        ({ model, scope, parts }) => `${model}, ${SCOPE_NAMES[scope]}` === option && parts !== null,
      );
      const bound = bounds.find(({ model, scope }) => `${model}, ${SCOPE_NAMES[scope]}` === option)!;
      const bars = chosen.flatMap(({ form, parts }) =>
        PARTS.map((part) => ({ form, part, megabytes: parts![part] / 1e6 })),
      );
      const least = (bound.mask.rowsAndColumns + bound.values + bound.floats) / 1e6;
      return Plot.plot({
        width,
        marginLeft: labelSpace(width),
        x: { label: 'MB', grid: true },
        y: { label: null, domain: chosen.map(({ form }) => form), tickFormat: shortened(width) },
        color: { domain: [...PARTS], range: COLORS.slice(0, 4), legend: true },
        marks: [
          Plot.barX(bars, { x: 'megabytes', y: 'form', fill: 'part', tip: true }),
          Plot.ruleX([least], { stroke: 'currentColor', strokeDasharray: '4,3' }),
          Plot.text([least], { x: (x) => x, frameAnchor: 'top', dy: -9, text: () => 'bound', fill: 'currentColor' }),
        ],
        marginTop: 24,
      });
    },
  },
  density: {
    options: () => ['seeded'],
    draw({ sizes }, _, width) {
      const { rows, bounds } = sizes!;
      const densities = new Map(
        bounds
          .filter(({ model, scope }) => model.startsWith('seeded-base') && scope === 'encoder')
          .map((bound) => [bound.model, (100 * bound.nonzeros) / bound.elements]),
      );
      const points = rows
        .filter(({ model, scope, parts }) => densities.has(model) && scope === 'encoder' && parts !== null)
        .map(({ model, form, bitsPerNonzero }) => ({ density: densities.get(model)!, form, bits: bitsPerNonzero }));
      for (const { model, scope, mask, values, nonzeros } of bounds) {
        if (!densities.has(model) || scope !== 'encoder') continue;
        points.push({
          density: densities.get(model)!,
          form: 'bound',
          bits: (8 * (mask.rowsAndColumns + values)) / nonzeros,
        });
      }
      return lines(
        points,
        { x: 'density', y: 'bits', stroke: 'form' },
        { x: 'density, %', y: 'bits a nonzero' },
        width,
      );
    },
  },
  codec: {
    options: ({ codec }) => codec!.map(({ model }) => model),
    draw({ codec }, option, width) {
      const { rows } = codec!.find(({ model }) => model === option)!;
      const points = rows.map(({ form, bitsPerNonzero, decode }) => ({
        form,
        bits: bitsPerNonzero,
        speed: decode.median,
      }));
      return Plot.plot({
        width,
        marginTop: 28,
        marginRight: 60,
        x: { label: 'bits a nonzero (less is smaller)', grid: true, nice: true },
        y: { label: 'decode, million nonzeros/s', grid: true, zero: true },
        marks: [
          Plot.dot(points, { x: 'bits', y: 'speed', r: 5, fill: COLORS[0], tip: true }),
          Plot.text(points, { x: 'bits', y: 'speed', text: 'form', dy: -12, fill: 'currentColor' }),
        ],
      });
    },
  },
  pack: {
    options: ({ pack }) => distinct(pack!.map(({ model, scope }) => `${model}, ${SCOPE_NAMES[scope]}`)),
    draw: ({ pack }, option, width) =>
      times(
        pack!.filter(({ model, scope }) => `${model}, ${SCOPE_NAMES[scope]}` === option),
        width,
      ),
  },
  load: {
    options: ({ load }) => distinct(load!.map(({ model, scope }) => `${model}, ${SCOPE_NAMES[scope]}`)),
    draw: ({ load }, option, width) =>
      times(
        load!.filter(({ model, scope }) => `${model}, ${SCOPE_NAMES[scope]}` === option),
        width,
      ),
  },
  infer: {
    options: ({ infer }) =>
      distinct(infer!.rows.map(({ model, threads, batch }) => `${model}, batch ${batch}, threads ${threads}`)),
    draw({ infer }, option, width) {
      const points = infer!.rows
        .filter(({ model, threads, batch }) => `${model}, batch ${batch}, threads ${threads}` === option)
        .map(({ tokens, side, seconds }) => ({ tokens, side, milliseconds: 1000 * seconds.median }));
      const channels = { x: 'tokens', y: 'milliseconds', stroke: 'side' };
      return lines(points, channels, { x: 'tokens', y: 'milliseconds' }, width);
    },
  },
  sweep: {
    options: () => ['seeded'],
    draw({ speed }, _, width) {
      const sweeps = speed!.densities;
      const ours = sweeps.flatMap(({ side, rows }) =>
        rows.map(({ density, seconds }) => ({ density: 100 * density, side, milliseconds: 1000 * seconds })),
      );
      const peer = sweeps[0].rows.map(({ density, peerSeconds }) => ({
        density: 100 * density,
        side: sweeps[0].peer,
        milliseconds: 1000 * peerSeconds,
      }));
      const channels = { x: 'density', y: 'milliseconds', stroke: 'side' };
      return lines([...ours, ...peer], channels, { x: 'density, %', y: 'milliseconds' }, width);
    },
  },
};

/** Bars of medians with their quartiles. */
function times(rows: readonly { readonly side: string; readonly seconds: Summary }[], width: number): Element {
  return Plot.plot({
    width,
    marginLeft: labelSpace(width),
    x: { label: 'seconds', grid: true, zero: true },
    y: { label: null, domain: rows.map(({ side }) => side), tickFormat: shortened(width) },
    marks: [
      Plot.barX(rows, { x: (row) => row.seconds.median, y: 'side', fill: COLORS[0], tip: true }),
      Plot.ruleY(rows, {
        x1: (row) => row.seconds.quartiles[0],
        x2: (row) => row.seconds.quartiles[1],
        y: 'side',
        stroke: 'currentColor',
        strokeWidth: 2,
      }),
    ],
  });
}

/** Lines with points, on logarithmic x. */
function lines(
  points: readonly object[],
  channels: { x: string; y: string; stroke: string },
  labels: { x: string; y: string },
  width: number,
): Element {
  return Plot.plot({
    width,
    x: { type: 'log', label: labels.x, tickFormat: (value: number) => String(value), grid: true },
    y: { label: labels.y, grid: true, zero: true },
    color: { scheme: 'Observable10', legend: true },
    marks: [
      Plot.lineY(points, { ...channels, sort: channels.x }),
      Plot.dot(points, { ...channels, fill: channels.stroke, tip: true }),
    ],
  });
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function labelSpace(width: number): number {
  return width < NARROW ? 130 : 230;
}

/** Names of rows, cut to what a phone has room for. */
function shortened(width: number): (name: string) => string {
  return (name) => (width < NARROW && name.length > 21 ? `${name.slice(0, 20)}…` : name);
}
