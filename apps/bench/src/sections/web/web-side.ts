import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ServedFile } from '@prune/fixtures';
import { repositoryFolder } from '../../bench-folder.js';
import type { Peers } from '../../peers/ensure-peers.js';
import { ourPage, peerPage } from './web-pages.js';
import { OURS_ON_THE_WEB, TRANSFORMERS_JS } from './web-report.js';

/** One of the things that are compared: its page, and everything that the page can ask for. */
export interface WebSide {
  readonly name: string;
  readonly page: string;
  /** A page that asks the same and stays until the whole model is kept, where the side has one. */
  readonly wholePage?: string;
  /** The file with the weights. */
  readonly model: string;
  readonly files: ReadonlyMap<string, ServedFile>;
}

/** What our page fetches besides the model, in the folder `dist` of `@prune/web`. */
export const OUR_CODE = ['plain.js', 'plain-worker.js', 'wasm/relaxed.wasm'];

/** What both sides are asked. */
export interface WebRequest {
  readonly question: string;
  readonly context: string;
}

/** Our package for pages without a bundler, with the packed model. */
export async function ourSide(packed: string, request: WebRequest): Promise<WebSide> {
  const model = '/ours/model.prune';
  const files = new Map<string, ServedFile>([
    ['/ours/', html(ourPage('model.prune', request))],
    ['/ours/whole', html(ourPage('model.prune', request, 'whole'))],
    [model, { bytes: await readFile(packed), etag: '"1"' }],
  ]);
  for (const name of [...OUR_CODE, 'wasm/simd.wasm']) {
    const bytes = await readFile(join(repositoryFolder, 'packages', 'web', 'dist', name));
    files.set(`/ours/${name}`, compressed(bytes, name.endsWith('.js') ? 'text/javascript' : 'application/wasm'));
  }
  return { name: OURS_ON_THE_WEB, page: '/ours/', wholePage: '/ours/whole', model, files };
}

/** transformers.js with a model folder as it wants it: the graph, and the tokenizer of `folder`. */
export async function transformersSide(
  peers: Peers,
  { graph, folder, request }: { readonly graph: string; readonly folder: string; readonly request: WebRequest },
): Promise<WebSide> {
  const model = '/peer/models/model/onnx/model_quantized.onnx';
  const files = new Map<string, ServedFile>([
    ['/peer/', html(peerPage(request))],
    [model, { bytes: await readFile(graph), etag: '"1"' }],
    ['/peer/models/model/config.json', json(await readFile(join(folder, 'config.json'), 'utf8'))],
  ]);
  // The tokenizer that the question answering pipeline wants: as it is, but not cut or filled to a length of its own.
  const tokenizer = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8'));
  const settings = { tokenizer_class: 'BertTokenizer', do_lower_case: true, model_max_length: 512 };
  files.set(
    '/peer/models/model/tokenizer.json',
    json(JSON.stringify({ ...tokenizer, truncation: null, padding: null })),
  );
  files.set('/peer/models/model/tokenizer_config.json', json(JSON.stringify(settings)));
  const code = join(peers.folder, 'node_modules', '@huggingface', 'transformers');
  const bundle = await readFile(join(code, 'dist', 'transformers.min.js'));
  files.set('/peer/transformers.min.js', compressed(bundle, 'text/javascript'));
  // The WebAssembly of ONNX Runtime in the version that this release was built with; a page fetches one of the builds.
  const runtime = dirname(createRequire(join(code, 'package.json')).resolve('onnxruntime-web'));
  for (const name of await readdir(runtime)) {
    const type = TYPES.find(([pattern]) => pattern.test(name))?.[1];
    if (type !== undefined) files.set(`/peer/${name}`, compressed(await readFile(join(runtime, name)), type));
  }
  return { name: TRANSFORMERS_JS, page: '/peer/', model, files };
}

const TYPES: readonly [RegExp, string][] = [
  [/^ort-wasm.*\.mjs$/, 'text/javascript'],
  [/^ort-wasm-simd-threaded(\.asyncify)?\.wasm$/, 'application/wasm'],
];

/** Code as servers send it: with gzip, and to be kept. */
function compressed(bytes: Uint8Array, type: string): ServedFile {
  const headers = { 'content-encoding': 'gzip', 'cache-control': 'public, max-age=31536000, immutable' };
  return { bytes: gzipSync(bytes, { level: 9 }), type, ranges: false, headers };
}

function json(text: string): ServedFile {
  return compressed(new TextEncoder().encode(text), 'application/json');
}

function html(text: string): ServedFile {
  return { bytes: new TextEncoder().encode(text), type: 'text/html', ranges: false };
}
