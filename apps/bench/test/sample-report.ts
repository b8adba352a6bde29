import type { Report } from '../src/report/report.js';
import { NOTEBOOK_FORM, type SizeRow } from '../src/sections/sizes/size-row.js';

const spread = (median: number) => ({
  median,
  quartiles: [0.95 * median, 1.1 * median] as const,
  min: 0.9 * median,
  max: 1.3 * median,
  samples: 5,
});

const inferRow = (tokens: number, side: string, seconds: number) => ({
  model: 'mini-qa',
  tokens,
  batch: 1,
  threads: 1,
  side,
  seconds: { ...spread(seconds), p95: 1.2 * seconds, p99: 1.3 * seconds },
  throughput: tokens / seconds,
});

const OURS_FASTER = { 'prune, float32 attention': spread(2.3), 'prune, int16 attention': spread(2.5) };

const webRow = (side: string, bytes: number) => ({
  browser: 'Chromium',
  side,
  first: spread(bytes / 1e6),
  second: spread(0.3),
  secondOverFirst: spread(0.2),
  bytes,
  modelBytes: 0.9 * bytes,
  secondBytes: 0,
  longestTask: 0,
});

const form = (model: string, form: string, mask: number): SizeRow => ({
  model,
  scope: 'encoder',
  form,
  note: '',
  bytes: mask + 4_000_000 + 500_000 + 100_000,
  parts: { mask, values: 4_000_000, floats: 500_000, overhead: 100_000 },
  bitsPerNonzero: (8 * (mask + 4_000_000)) / 5_000_000,
  lossless: 'proven',
});

/** A report with every section, its figures made up: what the rendering is tested on. */
export const SAMPLE_REPORT: Report = {
  schema: 'prune-bench/1',
  created: '2026-11-24T09:00:00.000Z',
  options: ['--quick'],
  quick: true,
  machine: {
    id: 'sample-2-linux-x64',
    cpu: 'Sample <CPU> | 1',
    cores: 2,
    memoryBytes: 16e9,
    system: 'linux 6 x64',
    node: '20.20.2',
    v8: '11.3',
  },
  revision: { commit: 'f05df3a', modified: false },
  versions: { torch: '2.6.0' },
  models: [
    { name: 'mini-qa', origin: 'embedded', sha256: '00ff' },
    { name: 'seeded-base-d3', origin: 'seeded', sha256: '01ff' },
    { name: 'seeded-base-d6', origin: 'seeded', sha256: '02ff' },
  ],
  skipped: [{ what: 'infer', why: 'onnxruntime could not be installed' }],
  sizes: {
    rows: ['mini-qa', 'seeded-base-d3', 'seeded-base-d6'].flatMap((model, i) => [
      {
        ...form(model, 'dense float32', 0),
        bytes: 340_000_000,
        parts: null,
        bitsPerNonzero: 544,
        lossless: 'not a file',
      },
      form(model, NOTEBOOK_FORM, 6_000_000 + 1_000_000 * i),
      form(model, '.prune, gzip', 3_500_000 + 500_000 * i),
    ]),
    bounds: ['mini-qa', 'seeded-base-d3', 'seeded-base-d6'].map((model, i) => ({
      model,
      scope: 'encoder',
      nonzeros: 5_000_000,
      elements: 85_000_000 / (i + 1),
      mask: { independent: 3_400_000, rowGaps: 3_200_000, rowsAndColumns: 2_600_000 },
      values: 3_900_000,
      floats: 500_000,
    })),
  },
  pack: [
    {
      model: 'seeded-base-d6',
      scope: 'encoder',
      side: 'prune h5',
      seconds: spread(1.1),
      peakBytes: spread(2e8),
      fileBytes: 12_000_000,
      timesFaster: spread(2.3),
    },
    {
      model: 'seeded-base-d6',
      scope: 'encoder',
      side: 'notebook',
      seconds: spread(2.5),
      peakBytes: spread(1.9e9),
      fileBytes: 13_000_000,
      steps: { load: 0.05, quantize: 1.4, csr: 0.6, write: 0.45 },
    },
  ],
  load: [
    {
      model: 'seeded-base-d6',
      scope: 'encoder',
      side: 'prune msgpack',
      seconds: spread(0.2),
      peakBytes: spread(1e8),
      riseBytes: spread(4e7),
      decodedBytes: 16_000_000,
      timesFaster: spread(5),
      timesFasterThanArrays: spread(2),
    },
  ],
  codec: [
    {
      model: 'mini-qa',
      matrices: 37,
      nonzeros: 5_000_000,
      bounds: { independent: 3_400_000, rowGaps: 3_200_000, rowsAndColumns: 2_600_000, values: 3_900_000 },
      parts: { fast: { mask: 2_700_000, values: 3_900_000, model: 50_000, structure: 10_000 } },
      rows: [
        {
          form: 'entropy, fast',
          bytes: 6_660_000,
          bitsPerNonzero: 10.656,
          encode: 6,
          decode: spread(45),
          decodeTime: 1,
        },
      ],
      cabacStyle: 6_900_000,
      dense: { raw: 500_000, coded: 400_000 },
    },
  ],
  infer: {
    agreement: [
      { model: 'mini-qa', side: 'prune', against: 'onnxruntime-node, int8', largestDifference: 0.2, largestLogit: 6.5 },
    ],
    rows: [16, 128].flatMap((tokens) => [
      inferRow(tokens, 'prune, float32 attention', 0.0003 * tokens),
      {
        ...inferRow(tokens, 'onnxruntime-node, int8', 0.0007 * tokens),
        oursTimesFaster: OURS_FASTER,
      },
    ]),
    first: [{ model: 'mini-qa', side: 'prune, float32 attention', seconds: spread(0.4), peakBytes: spread(1.2e8) }],
    roofline: [
      {
        model: 'mini-qa',
        side: 'prune, float32 attention',
        tokens: 128,
        multiplyAddsPerSecond: 12e9,
        peakPerSecond: 40e9,
        denseEquivalentPerSecond: 200e9,
      },
    ],
    kernels: { 'prune, float32 attention': 'native-avx512', 'OpenVINO, int8': '8-bit weights' },
  },
  speed: {
    kernels: { 'prune, float32 attention': 'native-avx512' },
    agreement: [],
    cells: [
      inferRow(128, 'prune, float32 attention', 0.011),
      inferRow(128, 'prune, float32 attention, wasm-wide', 0.023),
      { ...inferRow(128, 'onnxruntime-node, int8', 0.046), oursTimesFaster: OURS_FASTER },
    ],
    own: [
      {
        slower: 'prune, float32 attention, wasm-wide',
        faster: 'prune, float32 attention',
        times: spread(2.1),
      },
    ],
    small: [16, 128].flatMap((tokens) => [
      inferRow(tokens, 'prune, float32 attention', 0.001),
      inferRow(tokens, 'prune, int16 attention', 0.001),
      { ...inferRow(tokens, 'onnxruntime-node, int8', 0.0009 * (tokens / 16)), oursTimesFaster: OURS_FASTER },
    ]),
    densities: [
      {
        side: 'prune, float32 attention',
        tokens: 128,
        threads: 1,
        peer: 'onnxruntime-node, int8',
        rows: [
          { density: 0.03, seconds: 0.03, peerSeconds: 0.09 },
          { density: 0.5, seconds: 0.3, peerSeconds: 0.09 },
        ],
        crossover: 0.15,
      },
    ],
    first: [
      { model: 'seeded-base-d6', side: 'prune, float32 attention', seconds: spread(0.4), peakBytes: spread(1.2e8) },
      {
        model: 'seeded-base-d6',
        side: 'onnxruntime-node, int8',
        seconds: spread(0.5),
        peakBytes: spread(4e8),
        oursTimesFaster: OURS_FASTER,
      },
    ],
  },
  web: {
    model: 'mini-qa',
    fileBytes: 10_400_000,
    codeBytes: 140_000,
    line: { bitsPerSecond: 10e6, latency: 0.04 },
    question: 'Who sat?',
    contextWords: 150,
    agreement: [{ browser: 'Chromium', side: '@prune/web', text: 'the cat', score: 9.5 }],
    rows: [
      {
        ...webRow('@prune/web', 1.6e6),
        timesFaster: spread(9),
        whole: { seconds: spread(0.5), overFirst: spread(0.2), bytes: 2400 },
      },
      { ...webRow('transformers.js, int8', 23e6), longestTask: 1.5 },
    ],
  },
  accuracy: {
    model: 'mini-qa',
    data: 'dev-squad.json',
    rows: [{ form: '.prune, gzip', exact: 50.667, f1: 62.33, questions: 300, seconds: 4.5 }],
    pytorch: { fbgemm: { exact: 50.667, f1: 62.33 } },
  },
};
