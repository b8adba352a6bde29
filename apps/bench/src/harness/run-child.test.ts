import { describe, expect, it } from 'vitest';
import { findPython } from './python.js';
import { runChild, runNode } from './run-child.js';

describe('runChild', () => {
  it('a program that does nothing', async () => {
    const { stdout, wallSeconds } = await runChild(process.execPath, ['-e', '']);
    expect(stdout).toBe('');
    expect(wallSeconds).toBeGreaterThan(0);
  });

  it('says what failed, with the end of its stderr', async () => {
    await expect(runChild(process.execPath, ['-e', 'console.error("why"); process.exit(3)'])).rejects.toMatchObject({
      code: 'io',
      got: 'exit status 3, "why"',
    });
    await expect(runChild('no-such-program-anywhere', [])).rejects.toMatchObject({ code: 'io' });
  });

  it('ends a program that exceeds its time', async () => {
    const forever = ['-e', 'setInterval(() => {}, 1000)'];
    await expect(runChild(process.execPath, forever, { timeoutSeconds: 0.2 })).rejects.toMatchObject({
      what: expect.stringContaining('SIGTERM'),
    });
  });

  it('peak memory and processor time of a Node program, by its own account', async () => {
    // Held while the children run: what this process has must not count as theirs.
    const held = new Uint8Array(300e6).fill(1);
    const small = await runNode(['-e', '']);
    expect(small.peakBytes).toBeLessThan(150e6);
    const large = await runNode(['-e', 'new Uint8Array(200e6).fill(1); console.log(process.env.PRUNE_BENCH_USAGE)']);
    expect(large.peakBytes - small.peakBytes).toBeGreaterThan(150e6);
    expect(large.peakBytes - small.peakBytes).toBeLessThan(260e6);
    expect(held.length).toBe(300e6);
    expect(large.cpuSeconds).toBeGreaterThan(0);
    expect(large.stdout).toBe('undefined\n');
  });
});

describe('findPython', () => {
  it('says what is missing, and throws for nothing', async () => {
    expect(await findPython({ PRUNE_PYTHON: 'no-such-python' })).toEqual({ missing: 'there is no no-such-python' });
    // Node is no Python: what it answers is not understood.
    expect(await findPython({ PRUNE_PYTHON: process.execPath })).toHaveProperty('missing');
  });
});
