import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { openStore } from '@prune/model-files/node';
import { renderMarkdown } from '../document/render-markdown.js';
import { elementaryOf } from '../model/elementary-of.js';
import { describeCodecs } from '../sections/codec/describe-codecs.js';
import { findNncodec } from '../sections/codec/find-nncodec.js';
import { type CodecReport, measureCodec } from '../sections/codec/measure-codec.js';

/**
 * `node apps/bench/dist/codecs.js [--rounds N] <store or model folder>...`: the report's tables of each, encoder and
 * head, on standard output.
 */
const ROUNDS = 9;
const args = process.argv.slice(2);
const rounds = args[0] === '--rounds' ? Number(args.splice(0, 2)[1]) : ROUNDS;
const log = (line: string) => console.error(line);
const found = await findNncodec();
if ('missing' in found) log(`NNCodec is left out: ${found.missing}`);
const nncodec = 'command' in found ? found : undefined;

const reports: CodecReport[] = [];
for (const path of args) {
  const name = basename(path);
  if ((await stat(path)).isDirectory()) {
    const { elementary } = await elementaryOf(path, 'encoder');
    reports.push(await measureCodec(name, elementary, { rounds, nncodec, log }));
  } else {
    const store = await openStore(path);
    try {
      reports.push(await measureCodec(path, store, { rounds, nncodec, log }));
    } finally {
      await store.close();
    }
  }
}
console.log(renderMarkdown('Codecs', [describeCodecs(reports)]));
