import { Worker } from 'node:worker_threads';
import { isPruneError } from '@prune/core';
import { engineOn } from '../src/create-engine.js';
import type { Encoder, Engine, Thread, ThreadHost, ThreadStart } from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { CONTROL, FIRST_LAYER_PHASE, ITEMS, LAYER_PHASES, PLAN, SCRATCH } from '../src/wasm/layout.js';
import { selectKernels } from '../src/wasm/select-kernels.js';
import { startNodeWorker } from '../src/wasm/start-node-worker.js';
import { normals, random, randomLayers } from './random-encoder.js';
import { differentBits } from './same-bits.js';

// What lost-threads.test.ts tries, in a process of its own, because a fault in it is a call that never returns.

/** `.ci/full` asks for more. */
const KILLS = Number(process.env.PRUNE_KILLS ?? 5);
const DIED = 'io: thread 1 of 2 died';
const HIDDEN = 32;
const TOKENS = 150;
const input = normals(random(2), TOKENS * HIDDEN);
const spec = {
  layers: randomLayers(random(1), 3, HIDDEN, 64, { density: 0.5 }),
  heads: 2,
  activation: 'gelu',
  layerNormEps: 1e-12,
  profile: 'fbgemm',
} as const;

/**
 * A worker's program that takes part in `passes` passes, and then, in a job of the next one, does something else: in
 * the first, or in that which begins with `phase`.
 * Without `abandon`, as a page's own program may be, or one that is ended from outside.
 */
const takesPart = (passes: number, then: string, phase = 0) => `
const { parentPort, workerData: { module, memory, index } } = require('node:worker_threads');
const { run } = new WebAssembly.Instance(module, { env: { memory, watch() {} } }).exports;
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const wordAt = (at) => new Int32Array(memory.buffer, at, 1);
const firstItem = () => wordAt(wordAt(${PLAN.fields.items.at})[0] + ${phase * ITEMS.bytes + ITEMS.fields.first.at})[0];
setImmediate(() => {
  parentPort.postMessage('ready');
  for (let seen = 0, left = ${passes}; ; ) {
    const job = wordAt(${CONTROL.fields.job.at});
    Atomics.wait(job, 0, seen);
    seen = Atomics.load(job, 0);
    if (seen === -1) return;
    if (wordAt(${PLAN.fields.firstPhase.at})[0] === ${phase} && firstItem() === 0 && left-- === 0) { ${then} }
    run(index);
  }
});
`;

/** Ways to die, or to be no use, in the middle of a job. */
const DEATHS = {
  'an error': "throw new Error('a fault');",
  'process.exit': 'process.exit(3);',
  'out of memory': 'for (const all = []; ; ) all.push(new Array(1000).fill(index));',
  'a trap in WebAssembly':
    'new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,8,1,0,10,5,1,3,0,0,11)));',
  'no step': 'for (;;) sleep(1000);',
} as const;

/** A host whose workers run these programs one after the other, the last for ever; `undefined` is the real one. */
function hostOf(...programs: (string | undefined)[]) {
  const started: Thread[] = [];
  const host: ThreadHost = {
    async start(start: ThreadStart) {
      const program = programs[Math.min(started.length, programs.length - 1)];
      const options = { resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 } };
      const thread =
        program === undefined
          ? await workerThreads.start(start)
          : await startNodeWorker(Worker, program, start, options);
      started.push(thread);
      return thread;
    },
  };
  return { host, started };
}

interface Loaded {
  readonly engine: Engine;
  readonly encoder: Encoder;
  /** `right`, `wrong`, or the error's code and what it got. */
  pass(hiddenStates?: boolean): Promise<string>;
}

let wanted: Float32Array;

async function load(host: ThreadHost, threads = 2, looks?: number, jobMs?: number): Promise<Loaded> {
  const engine = await engineOn(await selectKernels('auto'), threads, host, { looks, jobMs });
  const encoder = await engine.loadEncoder(spec);
  wanted ??= await referenceOf();
  const pass = async (hiddenStates = false) => {
    try {
      const { last } = await encoder.forward(input, [TOKENS], { hiddenStates });
      return differentBits(last, wanted) === '' ? 'right' : 'wrong';
    } catch (error) {
      return isPruneError(error) ? `${error.code}: ${error.got}` : String(error);
    }
  };
  return { engine, encoder, pass };
}

async function referenceOf(): Promise<Float32Array> {
  const engine = await engineOn({ kernels: 'reference', fused: false, dot4: false }, 1, undefined);
  return (await (await engine.loadEncoder(spec)).forward(input, [TOKENS])).last;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const untilStarted = async (started: readonly Thread[], count: number) => {
  while (started.length < count) await sleep(5);
};

/** In the third job of the first worker; then twice more with those that replace it. Gives all that the passes gave. */
async function diesInJobs(then: string): Promise<string[]> {
  const { host, started } = hostOf(takesPart(2, then), takesPart(1, then), takesPart(0, then), undefined);
  // A thread that is dying may make no step for longer on a busy machine.
  const { engine, pass } = await load(host, 2, then === DEATHS['no step'] ? 3 : undefined);
  const results = [await pass(), await pass(), await pass()];
  // On the calling thread alone at once, with the new worker once it is there, which dies too.
  results.push(await pass());
  await untilStarted(started, 2);
  results.push(await pass(), await pass(), await pass());
  await untilStarted(started, 3);
  results.push(await pass(), await pass());
  await untilStarted(started, 4);
  results.push(await pass(), await pass(true));
  await engine.close();
  return results;
}

const SCENARIOS: Readonly<Record<string, () => Promise<unknown>>> = {
  ...Object.fromEntries(
    Object.entries(DEATHS).map(([name, then]) => [`in the middle: ${name}`, () => diesInJobs(then)]),
  ),

  async 'in the middle of a layer'() {
    const phase = FIRST_LAYER_PHASE + LAYER_PHASES.indexOf('intermediate');
    const { host, started } = hostOf(takesPart(1, DEATHS['an error'], phase), undefined);
    const { engine, pass } = await load(host, 2, undefined, 0);
    const results = [await pass(), await pass(), await pass()];
    await untilStarted(started, 2);
    results.push(await pass());
    await engine.close();
    return results;
  },

  async 'in the middle, among several: the others fail or end'() {
    const { host, started } = hostOf(undefined, takesPart(1, DEATHS['an error']), undefined);
    const { engine, pass } = await load(host, 4);
    const results = [await pass(), await pass(true), await pass(true)];
    await Promise.all(started.slice(0, 3).map(({ ended }) => ended));
    await untilStarted(started, 6);
    results.push(await pass(), await pass(true));
    await engine.close();
    return results;
  },

  async 'terminated from outside, before a pass, in it, or after it'() {
    const { host, started } = hostOf(undefined);
    const { engine, pass } = await load(host, 3);
    const seen = new Set<string>();
    for (let round = 0; round < KILLS; round++) {
      const before = started.length;
      const victim = started.at(-1 - (round % 2))!;
      const ending = victim.stop();
      if (round % 3 === 1) await sleep(1);
      if (round % 3 === 2) await ending;
      for (let i = 0; i < 5; i++) seen.add((await pass(i % 2 === 1)).replace(/\d+ of/, 'n of'));
      await ending;
      // Two others once a pass has found that it is dead.
      do {
        seen.add(await pass());
        await sleep(5);
      } while (started.length < before + 2);
    }
    await engine.close();
    return [...seen].filter((result) => !['right', 'io: thread n of 3 died'].includes(result));
  },

  async 'dead before the first pass'() {
    const { host, started } = hostOf("require('node:worker_threads').parentPort.postMessage('ready');", undefined);
    const { engine, pass } = await load(host);
    await started[0].ended;
    const results = [await pass()];
    await untilStarted(started, 2);
    results.push(await pass());
    await engine.close();
    return results;
  },

  async 'dead before the first pass, which cannot know yet'() {
    const { host, started } = hostOf("require('node:worker_threads').parentPort.postMessage('ready');", undefined);
    const { engine, pass } = await load(host);
    // Whether the thread has ended when the pass begins is a race.
    const results = [['right', DIED].includes(await pass())];
    await untilStarted(started, 2);
    results.push((await pass()) === 'right');
    await engine.close();
    return results;
  },

  async 'dead as soon as it is ready, whenever one is started'() {
    const { host } = hostOf("require('node:worker_threads').parentPort.postMessage('ready');");
    const { engine, pass } = await load(host, 3);
    const results = new Set<string>();
    for (let i = 0; i < 10; i++) {
      results.add((await pass()).replace(/\d+ of/, 'n of'));
      await sleep(20);
    }
    await engine.close();
    return [...results].filter((result) => !['right', 'io: thread n of 3 died'].includes(result));
  },

  async 'one that does not start'() {
    const codes = [];
    for (const program of ["throw new Error('not today');", 'throw undefined;', 'process.exit(4);', '']) {
      const failing = hostOf(undefined, program);
      const error = await load(failing.host, 3).then(
        () => undefined,
        (reason) => reason,
      );
      codes.push(isPruneError(error) ? `${error.code}: ${error.what}, ${error.got}` : String(error));
      // The one that had started is ended.
      await failing.started[0].ended;
    }
    return codes;
  },

  async 'none to replace a dead one'() {
    const { host: first, started } = hostOf(undefined);
    let starts = 0;
    const host: ThreadHost = {
      async start(start) {
        if (starts++ > 0) throw new RangeError('no more threads');
        return first.start(start);
      },
    };
    const { engine, pass } = await load(host);
    await started[0].stop();
    const results = [];
    for (let i = 0; i < 3; i++) {
      results.push(await pass());
      await sleep(1);
    }
    await engine.close();
    return [...results, starts > 2];
  },

  async 'late, and slow, but alive: waited for'() {
    // It sleeps for longer than 3 looks; but then it makes a step every 50 ms.
    const steps = `
      const plan = (at) => wordAt(at)[0];
      const at = plan(${PLAN.fields.scratch.at}) + index * plan(${PLAN.fields.scratchStride.at}) + ${SCRATCH.fields.steps.at};
      for (let step = 0; step < 10; step++) { sleep(50); wordAt(at)[0]++; }
    `;
    const { host } = hostOf(takesPart(1, steps));
    const slow = await load(host, 2, 3);
    const results = [await slow.pass(), await slow.pass()];
    await slow.engine.close();
    const late = await load(hostOf(takesPart(0, 'sleep(700);')).host);
    results.push(await late.pass());
    await late.engine.close();
    return results;
  },

  async 'a host that says nothing of its workers'() {
    const { host } = hostOf(takesPart(0, DEATHS['process.exit']), undefined);
    const silent: ThreadHost = {
      async start(start) {
        const { stop } = await host.start(start);
        return { stop };
      },
    };
    const { engine, pass } = await load(silent, 2, 3);
    const results = [await pass(), await pass()];
    await engine.close();
    return results;
  },
};

/** Runs them all. */
export async function lostThreads(): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  // Workers do not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const start = performance.now();
    results[name] = await scenario();
    if (process.env.PRUNE_REPORT) console.error(name, Math.round(performance.now() - start), results[name]);
  }
  clearInterval(alive);
  return results;
}
