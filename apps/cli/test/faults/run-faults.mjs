// Runs the built command with a fault at its n-th call that changes a file, for many n or every n, and looks at what is
// left after each. Started as `node --import inject-faults.mjs run-faults.mjs <folder> <options as JSON>`. Prints a
// report as JSON on its last line.
//
// Options: { steps: Record<kind, number>, kills?: number, scenarios?: string }. The kinds are those of the injector, and
// a step is the distance between two n; the first n is another one in every scenario, so that all together they hit
// different calls. `kills` is how often a command that replaces a model is killed at a random time. `scenarios` is a
// pattern.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSafetensors } from '@prune/checkpoint';
import { openCheckpoint } from '@prune/checkpoint/node';
import { memorySink, tensor } from '@prune/core';
import { observeModel } from './observe-model.mjs';

const MAIN = new URL('../../dist/main.js', import.meta.url);
const INJECT = fileURLToPath(new URL('inject-faults.mjs', import.meta.url));
const GOLDEN = fileURLToPath(new URL('../../../../tooling/fixtures/golden/tiny', import.meta.url));

/** No command makes as many calls; a loop that does not end is a fault of its own. */
const MOST_CALLS = 1000;

const faults = globalThis[Symbol.for('prune/faults')];
const [folder, optionsText] = process.argv.slice(2);
const { steps, kills = 0, scenarios: pattern = '' } = JSON.parse(optionsText);
const at = (...names) => join(folder, ...names);

let runs = 0;
/** Milliseconds that the command takes in a process of its own, once that is known. */
let whole;
// Every run of the command adds its listeners again.
process.setMaxListeners(0);
process.stdout.setMaxListeners(0);
process.stderr.setMaxListeners(0);

/** Runs the built command in this process, with a fault when there is a plan. */
async function run(args, plan) {
  let stderr = '';
  const { argv } = process;
  const writeOut = process.stdout.write;
  const writeErr = process.stderr.write;
  process.stdout.write = () => true;
  process.stderr.write = (text) => {
    stderr += text;
    return true;
  };
  process.argv = [process.execPath, 'prune', ...args];
  if (plan !== undefined) faults.arm(plan);
  try {
    // The module runs the command as it is loaded; the query makes Node load it again.
    await import(`${MAIN}?run=${runs++}`);
    // A release that nobody waits for would hit the next run.
    await new Promise((resolve) => setImmediate(resolve));
    return { status: process.exitCode ?? 0, stderr, ...(plan === undefined ? {} : faults.disarm()) };
  } finally {
    faults.disarm();
    process.exitCode = undefined;
    process.argv = argv;
    process.stdout.write = writeOut;
    process.stderr.write = writeErr;
  }
}

/** Runs it in a child that dies at a call, or after some milliseconds. */
function runAndDie(args, { plan, milliseconds }) {
  const inject = plan === undefined ? [] : ['--import', INJECT];
  const start = performance.now();
  const { signal, status, stderr } = spawnSync(process.execPath, [...inject, fileURLToPath(MAIN), ...args], {
    env: { ...process.env, ...(plan && { PRUNE_FAULT: JSON.stringify(plan) }) },
    encoding: 'utf8',
    timeout: milliseconds,
    killSignal: 'SIGKILL',
  });
  return { died: signal === 'SIGKILL', status, stderr, milliseconds: performance.now() - start };
}

/** A small model: what is left of golden/tiny without its second layer, weights times `factor`. */
async function writeModel(path, factor, config, files) {
  const { tensors, metadata, close } = await openCheckpoint(GOLDEN);
  const kept = new Map();
  for (const name of tensors.keys()) {
    if (/layer\.1\.|pooler/.test(name)) continue;
    const { shape, data } = await tensors.get(name);
    kept.set(
      name,
      tensor(
        'float32',
        shape,
        Float32Array.from(data, (value) => value * factor),
      ),
    );
  }
  await close();
  const sink = memorySink();
  await writeSafetensors(sink, kept);
  mkdirSync(path);
  writeFileSync(join(path, 'model.safetensors'), sink.bytes());
  const whole = { ...metadata.config, num_hidden_layers: 1, ...config };
  writeFileSync(join(path, 'config.json'), JSON.stringify(whole));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
}

// The new model and the old one each have a file of the tokenizer that the other does not have. The old model of unpack
// has none: unpack refuses a folder with files that a reader would take for a part of the new model.
const oldFiles = { 'vocab.txt': 'old\n' };
await writeModel(at('alike'), 2, { layer_norm_eps: 1e-7 }, oldFiles);
await writeModel(at('old'), 2, { layer_norm_eps: 1e-7 }, { ...oldFiles, 'special_tokens_map.json': '{}' });
await writeModel(
  at('new'),
  3,
  { layer_norm_eps: 1e-8 },
  { 'vocab.txt': 'new\n', 'tokenizer_config.json': '{"do_lower_case":false}' },
);
for (const model of ['alike', 'old', 'new']) {
  for (const form of ['prune', 'h5']) {
    mkdirSync(at(`${model}-${form}`));
    const { status, stderr } = await run(['pack', at(model), '-o', at(`${model}-${form}`, `m.${form}`), '-q']);
    if (status !== 0) throw new Error(stderr);
  }
}

/** How each command makes `out` of a model. The output is a file in `out`, or `out` itself. */
const COMMANDS = {
  'pack .prune': { output: 'm.prune', args: (model, out) => ['pack', at(model), '-o', out] },
  'pack .h5': { output: 'm.h5', args: (model, out) => ['pack', at(model), '-o', out] },
  'convert .h5 .prune': { output: 'm.prune', args: (model, out) => ['convert', at(`${model}-h5`, 'm.h5'), out] },
  'convert .prune .h5': { output: 'm.h5', args: (model, out) => ['convert', at(`${model}-prune`, 'm.prune'), out] },
  unpack: { output: '', old: 'alike', args: (model, out) => ['unpack', at(`${model}-prune`, 'm.prune'), '-o', out] },
};

const report = { injected: 0, survived: 0, deaths: 0, calls: {}, failures: [] };

for (const [command, { output, args, old = 'old' }] of Object.entries(COMMANDS)) {
  for (const over of [false, true]) {
    const scenario = `${command}${over ? ' over an old model' : ''}`;
    if (new RegExp(pattern).test(scenario)) await runScenario(scenario, { output, args, old, over });
  }
}

async function runScenario(scenario, { output, args, old: oldModel, over }) {
  const base = at('base');
  const parent = at('work');
  const out = join(parent, 'out', output);
  const argsOf = (model) => [...args(model, out), '-q', ...(over ? ['--force'] : [])];
  rmSync(base, { recursive: true, force: true });
  rmSync(parent, { recursive: true, force: true });
  mkdirSync(join(parent, 'out'), { recursive: true });
  /** The folder anew: empty, or with the old model. */
  const reset = () => {
    rmSync(parent, { recursive: true, force: true });
    if (existsSync(base)) cpSync(base, parent, { recursive: true });
    else mkdirSync(output === '' ? parent : join(parent, 'out'), { recursive: true });
  };
  const must = async (model, plan) => {
    const result = await run(argsOf(model), plan);
    if (result.status !== 0) throw new Error(`${scenario}: ${result.stderr}`);
    return result;
  };
  reset();
  await must('new');
  const { digest: fresh } = await observeModel(out);
  reset();
  await must(oldModel);
  const { digest: old } = await observeModel(out);
  const names = new Set(namesIn(parent));
  if (over) cpSync(parent, base, { recursive: true });
  reset();
  const { calls } = await must('new', { at: 0, kind: 'fails' });
  if ((await observeModel(out)).digest !== fresh) {
    report.failures.push({ scenario, kind: 'none', what: ['what is written depends on the old model'] });
  }
  for (const name of namesIn(parent)) names.add(name);
  report.calls[scenario] = calls;
  if (old === undefined || fresh === undefined || old === fresh) throw new Error(`${scenario}: not two models`);

  for (const [kind, step] of Object.entries(steps)) {
    for (let n = 1 + (scenario.length % Math.min(step, calls)); n <= MOST_CALLS; n += step) {
      reset();
      const plan = { at: n, kind };
      const dies = kind.startsWith('dies');
      const result = dies ? runAndDie(argsOf('new'), { plan }) : await run(argsOf('new'), plan);
      // The command did not make as many calls.
      if (dies ? !result.died : result.fired === undefined) break;
      await judge({ kind, n, call: result.fired }, () => (dies ? afterDeath() : afterFailure(result)));
    }
  }
  if (kills > 0 && over) {
    reset();
    whole ??= runAndDie(argsOf('new'), {}).milliseconds;
    for (let n = 1; n <= kills; n++) {
      reset();
      // Loading the command takes the first half.
      const milliseconds = Math.ceil(whole * (0.4 + 0.6 * Math.random()));
      const { died } = runAndDie(argsOf('new'), { milliseconds });
      if (died) await judge({ kind: 'killed', n: milliseconds }, afterDeath);
    }
  }

  /** Counts a fault, and what a reader or the next writer finds wrong after it. */
  async function judge(fault, findFaults) {
    report.injected++;
    const what = await findFaults();
    if (what.length === 0) report.survived++;
    else report.failures.push({ scenario, ...fault, what });
  }

  async function readerFaults() {
    const seen = await observeModel(out).catch((error) => ({ thrown: String(error.stack) }));
    const what = [];
    if (seen.thrown !== undefined) what.push(`a reader throws ${seen.thrown}`);
    else if (![undefined, fresh, over ? old : undefined].includes(seen.digest)) what.push('a reader sees a mixture');
    return { seen, what };
  }

  async function afterFailure({ status, stderr, fired }) {
    const { seen, what } = await readerFaults();
    if (status === 0) {
      if (seen.digest !== fresh) what.push('the command succeeds without the new model');
    } else {
      if (status !== 2 || !/^prune: (?!this is a bug)[^\n]*\n$/.test(stderr)) what.push(`status ${status}: ${stderr}`);
      if (over && seen.digest === undefined) what.push(`the old model is lost: ${seen.error}`);
    }
    // What cannot be removed stays, until a later process writes to the folder.
    const left = /^(rm|unlink|rmdir)$/.test(fired) ? [] : strays(parent, names);
    return [...what, ...left.map((name) => `${name} is left`)];
  }

  async function afterDeath() {
    report.deaths++;
    const { what } = await readerFaults();
    const next = await run([...args('new', out), '-q', '--force']);
    if (next.status !== 0) what.push(`the next write: ${next.stderr}`);
    else if ((await observeModel(out)).digest !== fresh) what.push('the next write has not written the new model');
    return [...what, ...strays(parent, names).map((name) => `${name} is left after the next write`)];
  }
}

function namesIn(path) {
  return readdirSync(path, { recursive: true });
}

function strays(path, names) {
  return namesIn(path).filter((name) => !names.has(name));
}

process.stdout.write(`\n${JSON.stringify(report)}\n`);
