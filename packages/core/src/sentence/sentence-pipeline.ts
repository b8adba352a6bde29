import type { JsonObject } from '../byte-sources/parse-json.js';
import { PruneError } from '../errors/prune-error.js';
import { shown } from '../errors/shown.js';
import { checkLimit } from '../limits/limits.js';

/** The file of a sentence-transformers folder that lists its modules in the order of the computation. */
export const MODULES_JSON = 'modules.json';

/** The other JSON files that such a folder has beside its config.json, outside the folders of its modules. */
export const SENTENCE_FILES: readonly string[] = ['sentence_bert_config.json', 'config_sentence_transformers.json'];

/** How the hidden states of a text's tokens become one vector, by sentence-transformers' names. */
export type PoolingMode = (typeof POOLING_MODES)[number];

/** In the order in which flags put the results of several modes together. */
const POOLING_MODES = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const;

/** `pooling_mode_cls_token` and so on: how a pooling's config names its modes. */
const MODE_FLAGS: Readonly<Record<PoolingMode, string>> = {
  cls: 'pooling_mode_cls_token',
  max: 'pooling_mode_max_tokens',
  mean: 'pooling_mode_mean_tokens',
  mean_sqrt_len_tokens: 'pooling_mode_mean_sqrt_len_tokens',
  weightedmean: 'pooling_mode_weightedmean_tokens',
  lasttoken: 'pooling_mode_lasttoken',
};

/** One step from the last hidden states to a sentence's embedding. */
export type SentenceModule =
  | { readonly kind: 'pooling'; readonly modes: readonly PoolingMode[] }
  | {
      readonly kind: 'dense';
      /** Its folder: the weight is the tensor `<folder>.linear.weight`, `[rows, columns]`. */
      readonly folder: string;
      readonly rows: number;
      readonly columns: number;
      readonly bias: boolean;
      readonly activation: 'identity' | 'tanh' | 'relu';
    }
  | { readonly kind: 'normalize' };

/** What a sentence-transformers folder says of the way from a text to its embedding. */
export interface SentencePipeline {
  /** Put before each text. */
  readonly prompt: string;
  readonly lowercase: boolean;
  /** Longer texts are cut, as sentence-transformers does it. `undefined`: to the positions that the model has. */
  readonly maxTokens: number | undefined;
  /** What comes after the transformer, a pooling first. */
  readonly modules: readonly SentenceModule[];
}

// A folder below that of modules.json, without a way out of it.
const FOLDER = /^[A-Za-z0-9_-][\w.-]*$/;
const MODULE_CONFIG = /^[A-Za-z0-9_-][\w.-]*\/config\.json$/;

// Bounds: on a Dense module's sizes as on the hidden size of a config; folders have three or four modules.
const MAX_WIDTH = 65_536;
const MAX_MODULES = 64;

/**
 * Reads the JSON files of a sentence-transformers folder, by their paths. Throws `unsupported` for a module, an
 * activation or a setting that we do not compute, by name, and `corrupt` for files that do not fit each other.
 * Source: sentence-transformers 5, the modules Transformer, Pooling, Dense and Normalize.
 */
export function sentencePipeline(files: JsonObject): SentencePipeline {
  const [first, ...rest] = sentenceModules(files[MODULES_JSON]);
  if (first?.type !== 'Transformer') throw unsupported(MODULES_JSON, 'first module', first?.type, 'Transformer');
  const prompt = promptOf(files['config_sentence_transformers.json']);
  const modules = rest.flatMap(({ type, folder }) => moduleOf(type, folder, files, prompt !== ''));
  if (modules[0]?.kind !== 'pooling') {
    throw unsupported(MODULES_JSON, 'module after the transformer', rest[0]?.type, 'Pooling');
  }
  if (modules.filter(({ kind }) => kind === 'pooling').length > 1) {
    throw unsupported(MODULES_JSON, 'modules', '2 poolings', 'one');
  }
  return { prompt, modules, ...settingsOf(files['sentence_bert_config.json']) };
}

/**
 * The modules that modules.json lists: each one's class without its package, which differs between releases, and its
 * folder.
 */
export function sentenceModules(listed: unknown): readonly { readonly type: string; readonly folder: string }[] {
  if (!Array.isArray(listed)) throw corrupt(MODULES_JSON, 'modules', listed, 'a list');
  checkLimit('too many modules', listed.length, MAX_MODULES, { where: MODULES_JSON });
  return listed.map(readModule);
}

/** Whether `path` is one that {@link sentencePipeline} may read: a store must not choose which files are written. */
export function isSentenceFile(path: string): boolean {
  return path === MODULES_JSON || SENTENCE_FILES.includes(path) || MODULE_CONFIG.test(path);
}

function readModule(value: unknown, i: number): { readonly type: string; readonly folder: string } {
  const { type, path } = (typeof value === 'object' && value !== null ? value : {}) as JsonObject;
  if (typeof type !== 'string') throw corrupt(MODULES_JSON, `type of module ${i}`, type, 'a class');
  if (typeof path !== 'string' || !(path === '' || FOLDER.test(path))) {
    throw corrupt(MODULES_JSON, `path of module ${i}`, path, 'the name of a folder');
  }
  return { type: type.split('.').at(-1)!, folder: path };
}

function moduleOf(type: string, folder: string, files: JsonObject, prompted: boolean): readonly SentenceModule[] {
  const where = `${folder}/config.json`;
  const config = () => object(files[where], where);
  if (type === 'Normalize') return [{ kind: 'normalize' }];
  if (type === 'Dropout') return [];
  if (type === 'Pooling') return [poolingOf(config(), where, prompted)];
  if (type === 'Dense') return [denseOf(config(), where, folder)];
  throw unsupported(MODULES_JSON, 'module', type, 'Transformer, Pooling, Dense, Normalize or Dropout');
}

function poolingOf(config: JsonObject, where: string, prompted: boolean): SentenceModule {
  if (prompted && config.include_prompt === false) {
    throw unsupported(where, 'include_prompt', config.include_prompt, 'true, where each text has a prompt');
  }
  const unknown = Object.keys(config).find(
    (key) => key.startsWith('pooling_mode_') && config[key] === true && !Object.values(MODE_FLAGS).includes(key),
  );
  if (unknown !== undefined) throw unsupported(where, 'pooling', unknown, Object.values(MODE_FLAGS).join(', '));
  const flags = POOLING_MODES.filter((mode) => config[MODE_FLAGS[mode]] === true);
  const named = config.pooling_mode ?? (flags.length === 0 ? 'mean' : flags);
  const names: readonly unknown[] = Array.isArray(named) ? named : [named];
  if (names.length === 0 || !names.every(isMode)) {
    throw unsupported(where, 'pooling_mode', named, POOLING_MODES.join(', '));
  }
  return { kind: 'pooling', modes: names };
}

function isMode(name: unknown): name is PoolingMode {
  return POOLING_MODES.some((mode) => mode === name);
}

const ACTIVATIONS: ReadonlyMap<string, 'identity' | 'tanh' | 'relu'> = new Map([
  ['Identity', 'identity'],
  ['Tanh', 'tanh'],
  ['ReLU', 'relu'],
]);

function denseOf(config: JsonObject, where: string, folder: string): SentenceModule {
  const width = (name: string) => {
    const value = config[name];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MAX_WIDTH) return value;
    throw corrupt(where, name, value, `an integer from 1 to ${MAX_WIDTH}`);
  };
  const named = config.activation_function ?? 'torch.nn.modules.activation.Tanh';
  const activation =
    typeof named === 'string' && named.startsWith('torch.') ? ACTIVATIONS.get(named.split('.').at(-1)!) : undefined;
  if (activation === undefined) {
    throw unsupported(where, 'activation_function', named, [...ACTIVATIONS.keys()].join(', '));
  }
  for (const key of ['module_input_name', 'module_output_name']) {
    const value = config[key] ?? 'sentence_embedding';
    if (value !== 'sentence_embedding') throw unsupported(where, key, value, 'sentence_embedding');
  }
  return {
    kind: 'dense',
    folder,
    rows: width('out_features'),
    columns: width('in_features'),
    bias: config.bias !== false,
    activation,
  };
}

/** The prompt that every text gets where a caller asks for none. */
function promptOf(config: unknown): string {
  const where = 'config_sentence_transformers.json';
  const { prompts, default_prompt_name: name } = config === undefined ? ({} as JsonObject) : object(config, where);
  if (name === undefined || name === null) return '';
  const prompt = typeof name === 'string' ? (prompts as JsonObject | undefined)?.[name] : undefined;
  if (typeof prompt === 'string') return prompt;
  throw corrupt(where, 'default_prompt_name', name, 'the name of one of the prompts');
}

/** What the transformer is asked for: its hidden states. */
const TASK = 'feature-extraction';

function settingsOf(config: unknown): Pick<SentencePipeline, 'lowercase' | 'maxTokens'> {
  const where = 'sentence_bert_config.json';
  const given = config === undefined ? {} : object(config, where);
  const { max_seq_length: most, do_lower_case: lowercase, transformer_task: task = TASK } = given;
  if (task !== TASK) throw unsupported(where, 'transformer_task', task, TASK);
  if (most !== undefined && most !== null && !(typeof most === 'number' && Number.isInteger(most) && most > 0)) {
    throw corrupt(where, 'max_seq_length', most, 'a whole number above 0');
  }
  return { lowercase: lowercase === true, maxTokens: most ?? undefined };
}

function object(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new PruneError(value === undefined ? 'missing' : 'corrupt', { where, what: 'not a JSON object' });
}

function corrupt(where: string, what: string, got: unknown, wanted: string): PruneError {
  return new PruneError('corrupt', { where, what, got: shown(got), wanted });
}

function unsupported(where: string, what: string, got: unknown, wanted: string): PruneError {
  return new PruneError('unsupported', { where, what, got: shown(got), wanted });
}
