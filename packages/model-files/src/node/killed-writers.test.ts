import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInChild } from '@prune/fixtures';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** Seconds that writers are killed for; PRUNE_FUZZ multiplies. */
const SECONDS = 2 * Math.max(1, Number(process.env.PRUNE_FUZZ ?? 1));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prune-killed-'));
});
afterEach(() => rm(folder, { recursive: true }));

/**
 * Two writers in processes of their own, A and B, write different models to one path, over and over. One after the
 * other is killed at a random time and started again. Meanwhile this process opens what is there. Reports how often it
 * saw each model, each error and a mixture.
 */
const WORK = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openCheckpoint, writeCheckpointFolder } from '@prune/checkpoint/node';
import { tensor, writeStore } from '@prune/core';
import { createStore, openStore } from '@prune/model-files/node';

const bytes = (text) => new TextEncoder().encode(text);
const value = { A: 1, B: 2 };
// Files of several sizes, and for a store two that only A has.
const filesOf = (text, all) => new Map(
  ['vocab.txt', 'merges.txt', ...(all ? ['tokenizer.json', 'vocab.json'] : [])].map((name, i) => {
    return [name, bytes(text.repeat(1 + 5000 * i))];
  }),
);
const tensors = (text) => new Map([['w', tensor('float32', [1000], new Float32Array(1000).fill(value[text]))]]);

async function write({ path, form }, text) {
  const metadata = { config: { model_type: text }, files: filesOf(text, form !== 'folder' && text === 'A') };
  if (form === 'folder') return writeCheckpointFolder(path, { tensors: tensors(text), metadata }, { force: true });
  return writeStore(await createStore(path, { force: true }), tensors(text), metadata);
}

/** What each part of the model says. */
async function read({ path, form }) {
  const opened = form === 'folder' ? await openCheckpoint(path) : await openStore(path);
  try {
    const source = form === 'folder' ? opened.tensors : opened;
    const { data } = await source.get('w');
    const said = new Set([...data].map((number) => (number === value.A ? 'A' : 'B')));
    said.add(opened.metadata.config?.model_type);
    const names = [...(opened.metadata.files?.keys() ?? [])];
    for (const name of names) said.add(new TextDecoder().decode(await opened.metadata.files.get(name))[0]);
    if (said.has('A') && form !== 'folder' && names.length !== 4) said.add('files of A: ' + names);
    return [...said].join(' with ');
  } finally {
    await opened.close();
  }
}

export default async (argument) => {
  if (process.env.WRITER !== undefined) {
    process.send('ready');
    try {
      for (;;) await write(argument, process.env.WRITER);
    } catch (error) {
      // Of a process that ends by itself, the other one hears no more than a status.
      await new Promise((resolve) => process.send(String(error.stack), resolve));
      throw error;
    }
  }
  await write(argument, 'A');
  const seen = {};
  let kills = 0;
  const end = Date.now() + 1000 * argument.seconds;
  const writer = async (text) => {
    while (Date.now() < end) {
      const env = { ...process.env, WRITER: text };
      const child = spawn(process.execPath, [process.argv[1]], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      const gone = new Promise((resolve) => child.once('exit', (status, signal) => resolve(signal ?? status)));
      let said;
      child.on('message', (text) => { said = text; });
      await Promise.race([once(child, 'message'), gone]);
      await new Promise((resolve) => setTimeout(resolve, 300 * Math.random()));
      child.kill('SIGKILL');
      const how = await gone;
      if (how !== 'SIGKILL') throw new Error('the writer ended by itself: ' + how + ', ' + said);
      kills++;
    }
  };
  const reader = async () => {
    while (Date.now() < end) {
      const outcome = await read(argument).catch((error) => 'error ' + (error.code ?? error.stack));
      seen[outcome] = (seen[outcome] ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await Promise.all([writer('A'), writer('B'), reader()]);
  await write(argument, 'A');
  return { seen, kills, last: await read(argument) };
};
`;

test.each(['h5', 'prune', 'folder'])(
  'two writers of one %s, killed at random times: a reader sees one model or an error',
  async (form) => {
    const path = join(folder, form === 'folder' ? 'model' : `model.${form}`);
    const { value, error, died } = await runInChild(WORK, {
      argument: { path, form, seconds: SECONDS },
      timeoutSeconds: SECONDS + 60,
    });
    expect({ error, died }).toEqual({ error: undefined, died: undefined });
    const { seen, kills, last } = value as { seen: Record<string, number>; kills: number; last: string };
    expect(['A', 'B', 'error io', 'error missing']).toEqual(expect.arrayContaining(Object.keys(seen)));
    expect(last).toBe('A');
    expect(kills).toBeGreaterThan(1);
    const names = [...readdirSync(folder), ...(form === 'folder' ? readdirSync(path) : [])];
    expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
  },
  1000 * (SECONDS + 120),
);
