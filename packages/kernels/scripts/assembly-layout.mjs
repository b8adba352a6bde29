import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const LAYOUT = fileURLToPath(new URL('../src/wasm/layout.ts', import.meta.url));

/** What a kernel loads for each type, and as what it uses the number. */
const LOADS = {
  bool: { type: 'bool', load: (address) => `load<i32>(${address}) != 0` },
  i32: { type: 'i32', load: (address) => `load<i32>(${address})` },
  u32: { type: 'u32', load: (address) => `load<u32>(${address})` },
  f32: { type: 'f32', load: (address) => `load<f32>(${address})` },
  u16: { type: 'i32', load: (address) => `<i32>load<u16>(${address})` },
};

/**
 * The text of assembly/generated/layout.ts: what the kernels need of src/wasm/layout.ts, as constants and functions of
 * AssemblyScript. A new export of the layout that kernels need goes into the list below.
 */
export async function assemblyLayout() {
  const layout = await importLayout();
  const numbers = (...names) => names.map((name) => constant(name, layout[name]));
  const sections = [
    ['// Made by scripts/build-wasm.mjs from src/wasm/layout.ts, which says what everything is; do not edit.'],
    numbers('LANES', 'ROW_BYTES', 'CODE_ROW_BYTES', 'CACHE_LINE_BYTES'),
    codes('PROFILE', layout.PROFILES),
    codes('ACTIVATION', layout.ACTIVATIONS),
    codes('LINEAR_KIND', layout.LINEAR_KINDS),
    codes('FAULT', layout.FAULTS),
    vectorIndices(layout.CONSTANTS),
    onlyStruct('plan', layout.PLAN),
    [...addresses(layout.CONTROL), ...numbers('LAST_JOB')],
    codes('', layout.LINEARS),
    codes('', layout.NORMS),
    [...codes('NORM', layout.NORM_PARAMETERS), constant('NORM_PARAMETERS', layout.NORM_PARAMETERS.length)],
    struct('linear', layout.LINEAR),
    struct('layer', layout.LAYER),
    numbers('CHUNK'),
    struct('rowHeader', layout.ROW_HEADER),
    struct('group', layout.GROUP),
    struct('pair', layout.PAIR),
    struct('quad', layout.QUAD),
    struct('floatRowHeader', layout.FLOAT_ROW_HEADER),
    struct('floatWeight', layout.FLOAT_WEIGHT),
    struct('sequence', layout.SEQUENCE),
    struct('publishedRange', layout.PUBLISHED_RANGE),
    [...codes('RANGE_OF', layout.RANGES), constant('LAYER_RANGES', layout.RANGES.length)],
    [...codes('INPUT_PHASE', layout.INPUT_PHASES), ...numbers('FIRST_LAYER_PHASE')],
    [...codes('PHASE', layout.LAYER_PHASES), constant('LAYER_PHASES', layout.LAYER_PHASES.length)],
    struct('items', layout.ITEMS),
    struct('runningRange', layout.RUNNING_RANGE),
    struct('scratch', layout.SCRATCH),
    numbers('QUERY_BLOCK', 'WIDE_QUERY_BLOCK', 'SPARE_SCORE_ROWS', 'KEYS_MULTIPLE'),
  ];
  return sections.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

/** The module, which Node cannot import as it is. */
async function importLayout() {
  const { outputFiles } = await build({ entryPoints: [LAYOUT], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

function constant(name, value) {
  return `export const ${name}: i32 = ${value};`;
}

/** The names of a list by their indices: PREFIX_NAME. */
function codes(prefix, names) {
  return names.map((name, index) => constant(upperSnake(prefix, name), index));
}

/** Constants by the index of their first vector. */
function vectorIndices({ fields }) {
  return Object.entries(fields).map(([name, { at }]) => constant(upperSnake('', name), at / 16));
}

/** A struct of which there is only one: a function that loads each field, `prefixField()`. */
function onlyStruct(prefix, { fields }) {
  return Object.entries(fields).map(([name, { at, type }]) => getter(prefix, name, type, '', `${at}`));
}

/** The addresses of fields that are loaded and stored atomically: FIELD. */
function addresses({ fields }) {
  return Object.entries(fields).map(([name, { at }]) => constant(upperSnake('', name), at));
}

/**
 * A struct of which there are many: its size, PREFIX_BYTES, the offset of each field, PREFIX_FIELD, and a function that
 * loads each number, `prefixField(at)`.
 */
function struct(prefix, { bytes, fields }) {
  return [
    constant(upperSnake(prefix, 'bytes'), bytes),
    ...Object.entries(fields).map(([name, { at }]) => constant(upperSnake(prefix, name), at)),
    ...Object.entries(fields)
      .filter(([, { type }]) => type in LOADS)
      .map(([name, { type }]) => getter(prefix, name, type, 'at: i32', `at, ${upperSnake(prefix, name)}`)),
  ];
}

function getter(prefix, name, fieldType, parameter, address) {
  const { type, load } = LOADS[fieldType];
  const own = prefix + name[0].toUpperCase() + name.slice(1);
  return `@inline export function ${own}(${parameter}): ${type} { return ${load(address)}; }`;
}

/** `plan` and `hiddenStates` as PLAN_HIDDEN_STATES. Digits stay with the word before them. */
function upperSnake(prefix, name) {
  const words = `${prefix}_${name}`.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll(/[^A-Za-z0-9]+/g, '_');
  return words.toUpperCase().replace(/^_/, '');
}
