// Makes golden data again and compares it with the committed files: tooling/fixtures/generators/goldens.json lists them.
//
//   npm run goldens                       every golden
//   npm run goldens -- tiny roberta       these goldens
//   npm run goldens -- --write tiny       ... and replaces the committed files that differ by more than the list allows
//
// Everything goes into the ignored folder .goldens: one Python environment for each requirements file, and the files
// that the generators make. Fails if a committed file differs and was not replaced.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { root } from './pnpm.mjs';

const generators = join(root, 'tooling', 'fixtures', 'generators');
const list = JSON.parse(readFileSync(join(generators, 'goldens.json'), 'utf8'));
const work = join(root, '.goldens');
/** How many of a file's wrong values are printed: another seed changes thousands. */
const SHOWN = 10;

// One thread, because the order of float32 sums depends on it. No bytecode, which would lie beside the generators.
const env = { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1', HF_HUB_OFFLINE: '1' };

const write = process.argv.includes('--write');
const goldens = chosenGoldens(process.argv.slice(2).filter((argument) => argument !== '--write'));
if (process.platform !== 'linux' || process.arch !== 'x64') fail('the pinned PyTorch needs Linux on x86-64');
const python = findPython();
say(`processor: ${processor()}`);

let wrong = 0;
for (const golden of goldens) {
  const command = environment(golden.environment);
  make(golden, command);
  wrong += compare(golden, command);
}
if (wrong > 0) fail(`files that differ from the committed ones by more than goldens.json allows: ${wrong}`);

function chosenGoldens(names) {
  const all = list.goldens.map(({ name }) => name);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) fail(`there is no golden ${JSON.stringify(unknown)}; there are ${all.join(', ')}`);
  return list.goldens.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** A Python of the version that the environments need, whatever it is called here. */
function findPython() {
  const version = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const found = [`python${list.python}`, 'python3', 'python'].find(
    (command) => spawnSync(command, ['-c', version], { encoding: 'utf8' }).stdout?.trim() === list.python,
  );
  return found ?? fail(`the pinned packages need Python ${list.python}, which is not on the PATH`);
}

/** The processor, and whether it has the instructions that decide the last bits of the results. */
function processor() {
  const info = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const name = /^model name\s*: (.*)$/m.exec(info)?.[1] ?? 'unknown';
  const flags = ['avx2', 'avx512f', 'avx512_vnni'].map(
    (flag) => `${new RegExp(`\\b${flag}\\b`).test(info) ? '' : 'no '}${flag}`,
  );
  return `${name}, ${flags.join(', ')}`;
}

/** The Python of an environment; installs it first if it is missing or its requirements changed. */
function environment(name) {
  const folder = join(work, 'python', name);
  const requirements = join(generators, `requirements-${name}.txt`);
  const wanted = readFileSync(requirements, 'utf8');
  const installed = join(folder, 'installed.txt');
  const command = join(folder, 'bin', 'python');
  if (!existsSync(installed) || readFileSync(installed, 'utf8') !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    run(`${name}: environment`, python, ['-m', 'venv', folder]);
    run(`${name}: packages`, command, ['-m', 'pip', 'install', '--disable-pip-version-check', '-r', requirements]);
    writeFileSync(installed, wanted);
  }
  return command;
}

/** Runs a generator into its own empty folder, and checks that it made the files of the list and no others. */
function make({ name, generator, arguments: given, files }, command) {
  const folder = madeFolder(name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run(`${name}: made`, command, [join(generators, generator), folder, ...given.split(' ').filter(Boolean)]);
  const [made, wanted] = [readdirSync(folder), files.map((file) => basename(file))].map((names) =>
    names.sort().join(', '),
  );
  if (made !== wanted) fail(`${name}: ${generator} made ${made}; goldens.json lists ${wanted}`);
}

/** Prints how far the made files are from the committed ones. Returns how many are too far and were not replaced. */
function compare({ name, files, tolerances }, command) {
  const pairs = files.map((file) => ({
    file,
    made: join(madeFolder(name), basename(file)),
    committed: join(root, file),
    tolerances: tolerances.filter((rule) => rule.file === basename(file)),
  }));
  const present = pairs.filter(({ committed }) => existsSync(committed));
  const script = join(generators, 'compare_goldens.py');
  const { status, stdout } = spawnSync(command, [script], {
    input: JSON.stringify(present),
    encoding: 'utf8',
    env,
    maxBuffer: 2 ** 28,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (status !== 0) fail(`${name}: compare_goldens.py failed`);
  const results = new Map(JSON.parse(stdout).map((result, i) => [present[i], result]));
  const equal = [...results.values()].filter(({ equalBytes }) => equalBytes).length;
  if (equal > 0) say(`${name}: ${equal} of ${files.length} files have equal bytes`);
  let left = 0;
  for (const pair of pairs) {
    const result = results.get(pair) ?? { wrong: ['is not committed'], within: [] };
    if (!result.equalBytes && result.wrong.length === 0) say(`${name}: ${pair.file}: ${summary(result)}`);
    for (const sentence of result.wrong.slice(0, SHOWN)) say(`${name}: ${pair.file}: ${sentence}`);
    if (result.wrong.length > SHOWN) say(`${name}: ${pair.file}: ... and ${result.wrong.length - SHOWN} more`);
    if (result.wrong.length === 0) continue;
    if (write) {
      mkdirSync(dirname(pair.committed), { recursive: true });
      copyFileSync(pair.made, pair.committed);
      say(`${name}: ${pair.file}: replaced`);
    } else left++;
  }
  return left;
}

/** Which values are exactly equal, and for each tolerance the worst of the others. */
function summary({ values, exact, within }) {
  const worst = new Map();
  for (const value of within) {
    if (!(value.difference <= worst.get(value.tolerance)?.difference)) worst.set(value.tolerance, value);
  }
  const others = [...worst.values()].map(
    ({ name, difference, tolerance }) =>
      `at most ${difference.toExponential(1)} in "${name}", ${tolerance.toExponential(1)} is allowed`,
  );
  const equal = `${exact} of ${values} values are exactly equal`;
  return others.length === 0 ? equal : `${equal}, the others differ by ${others.join('; ')}`;
}

function madeFolder(name) {
  return join(work, 'made', name);
}

/** Runs a command in the root of the repository. What it prints goes into a file and is shown if the command fails. */
function run(what, command, args) {
  const start = performance.now();
  const log = join(work, 'log.txt');
  const file = openSync(log, 'w');
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', file, file] });
  closeSync(file);
  if (status !== 0) {
    process.stderr.write(readFileSync(log));
    fail(`${what}: ${error?.message ?? `${command} exits with ${status}`}`);
  }
  say(`${what} in ${((performance.now() - start) / 1000).toFixed(0)} s`);
}

function say(line) {
  console.log(`goldens: ${line}`);
}

function fail(line) {
  console.error(`goldens: ${line}`);
  process.exit(1);
}
