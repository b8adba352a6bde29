import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CsrMatrix } from '@prune/core';
import { toDense } from '@prune/csr';
import { benchFolder } from '../../bench-folder.js';
import type { Python } from '../../harness/python.js';
import { runChild } from '../../harness/run-child.js';
import { type Summary, summarize } from '../../harness/summary.js';

/** What NNCodec makes of all matrices of a model with one setting; it has given every one back. */
export interface NncodecRow {
  readonly setting: string;
  readonly bytes: number;
  /** Million nonzeros a second of one thread's own time, in a Python of its own. */
  readonly encode: number;
  readonly decode: Summary;
}

/** Fraunhofer's coder beside ours. */
export interface NncodecReport {
  readonly version: string;
  readonly rows: readonly NncodecRow[];
}

interface PeerOutput {
  readonly version: string;
  readonly rows: readonly { setting: string; bytes: number; encodeSeconds: number; decodeSeconds: readonly number[] }[];
}

/** Codes the matrices with NNCodec, each alone, by `python/nncodec_peer.py`. Throws `io` when one does not come back equal. */
export async function measureNncodec(
  python: Python,
  matrices: readonly CsrMatrix[],
  rounds: number,
): Promise<NncodecReport> {
  const folder = await mkdtemp(join(tmpdir(), 'prune-nncodec-'));
  try {
    await writeFile(join(folder, 'shapes.json'), JSON.stringify(matrices.map(({ shape }) => shape)));
    const file = await open(join(folder, 'matrices.bin'), 'w');
    try {
      for (const matrix of matrices) await file.writeFile(new Uint8Array(toDense(matrix).intRepr));
    } finally {
      await file.close();
    }
    const script = join(benchFolder, 'python', 'nncodec_peer.py');
    const { stdout } = await runChild(python.command, [script, folder, String(rounds)]);
    const { version, rows }: PeerOutput = JSON.parse(stdout);
    const nonzeros = matrices.reduce((sum, { data }) => sum + data.length, 0);
    const speed = (seconds: number) => nonzeros / seconds / 1e6;
    return {
      version,
      rows: rows.map(({ setting, bytes, encodeSeconds, decodeSeconds }) => ({
        setting,
        bytes,
        encode: speed(encodeSeconds),
        decode: summarize(decodeSeconds.map(speed)),
      })),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
