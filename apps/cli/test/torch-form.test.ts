import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goldenPath, modelPath, SKIP_CONDITIONS, testPython } from '@prune/fixtures';
import { afterAll, expect, test } from 'vitest';
import { runPrune } from './run-prune.js';

const folder = mkdtempSync(join(tmpdir(), 'prune-torch-form-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const quiet = { status: 0, stdout: '', stderr: '' };

/** The golden model as a folder with its config. */
function tiny(): string {
  mkdirSync(at('tiny'), { recursive: true });
  for (const file of ['config.json', 'model.safetensors'])
    copyFileSync(goldenPath(`tiny/${file}`), join(at('tiny'), file));
  return at('tiny');
}

test('a store that became a file of torch becomes the same store again', async () => {
  for (const options of [[], ['--per-channel', '--embeddings', 'int8'], ['--embeddings', 'int4']]) {
    expect(await runPrune('pack', tiny(), '-o', at('tiny.prune'), ...options, '--force', '-q')).toEqual(quiet);
    expect(await runPrune('unpack', at('tiny.prune'), '-o', at('out'), '--form', 'torch', '--force')).toEqual(quiet);
    expect(await runPrune('pack', at('out/quantized.pt'), '-o', at('again.prune'), '--force', '-q')).toEqual(quiet);
    expect(readFileSync(at('again.prune')).equals(readFileSync(at('tiny.prune')))).toBe(true);
  }
});

test('options of the form torch are refused with another form', async () => {
  const refused = { status: 2, stderr: expect.stringContaining('--form torch') };
  for (const option of [['--float-tables'], ['--torch-layout', 'torch-1.5']]) {
    expect(await runPrune('unpack', at('tiny.prune'), '-o', at('no'), ...option)).toMatchObject(refused);
  }
});

test.skipIf(SKIP_CONDITIONS['no-python-torch']()).each([
  ['tiny', tiny],
  ['mini-qa', () => modelPath('mini-qa')],
])(
  '%s: load_state_dict of a quantize_dynamic model takes the file, which holds what PyTorch computes',
  async (name, pathOf) => {
    const path = pathOf();
    const store = at(`${name}.prune`);
    expect(await runPrune('pack', path, '-o', store, '--force')).toMatchObject({ status: 0 });
    expect(await runPrune('unpack', store, '-o', at(`${name}-torch`), '--form', 'torch')).toEqual(quiet);
    expect(await runPrune('unpack', store, '-o', at(`${name}-elementary`), '--form', 'torch-elementary')).toEqual(
      quiet,
    );
    // transformers loads no gzipped checkpoint.
    expect(await runPrune('unpack', path, '-o', at(`${name}-floats`))).toMatchObject({ status: 0 });
    const script = fileURLToPath(new URL('load_torch_form.py', import.meta.url));
    const files = [at(`${name}-torch/quantized.pt`), at(`${name}-elementary/elementary.pt`)];
    const { stdout, stderr } = spawnSync(testPython(), [script, at(`${name}-floats`), ...files], { encoding: 'utf8' });
    expect(stdout.trim(), stderr).toBe('<All keys matched successfully>');
  },
  300_000,
);
