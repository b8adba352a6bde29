import type { ServedFile } from '@prune/fixtures';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSERS } from './browsers.js';
import { type SlowLine, slowLine } from './slow-line.js';
import { visitPage } from './visit-page.js';
import { watchedPage } from './web-pages.js';
import type { WebSide } from './web-side.js';

/** A side with a model of 50,000 bytes, whose page does this to answer. */
function sideThat(name: string, ask: string): WebSide {
  const html = new TextEncoder().encode(watchedPage(`report(async () => { ${ask} });`));
  const files = new Map<string, ServedFile>([
    [`/${name}`, { bytes: html, type: 'text/html' }],
    [`/${name}.model`, { bytes: new Uint8Array(50_000) }],
    [`/${name}.later`, { bytes: new Uint8Array(70_000) }],
  ]);
  return { name, page: `/${name}`, model: `/${name}.model`, files };
}

const FETCHES = `const get = async (path) => (await (await fetch(path)).arrayBuffer()).byteLength;
  const score = await get('fetches.model');
  setTimeout(() => get('fetches.later'), 100);
  return { text: 'all of it', score };`;
const BUSY = "const start = performance.now(); while (performance.now() < start + 300); return { text: '', score: 0 };";
const sides = {
  fetches: sideThat('fetches', FETCHES),
  busy: sideThat('busy', BUSY),
  fails: sideThat('fails', "throw new Error('no model of mine');"),
};

describe.each(BROWSERS)('a visit in $name', ({ find, launch }) => {
  const path = find();
  let browser: Browser;
  let line: SlowLine;
  beforeAll(async () => {
    if (path === undefined) return;
    line = await slowLine(Object.values(sides), { latency: 40 });
    browser = await launch(path);
  });
  afterAll(async () => {
    await browser?.close();
    await line?.close();
  });

  it.skipIf(path === undefined)('what was sent before the answer counts, and nothing after it', async () => {
    const html = sides.fetches.files.get('/fetches')!.bytes.length;
    const visit = await visitPage(browser, line, sides.fetches, 500);
    expect(visit).toMatchObject({ text: 'all of it', score: 50_000, bytes: html + 50_000, modelBytes: 50_000 });
    // The page and the model, each 40 ms late.
    expect(visit.seconds).toBeGreaterThan(0.08);
  });

  it.skipIf(path === undefined)('a task of 300 ms is noticed', async () => {
    const { longestTask } = await visitPage(browser, line, sides.busy);
    expect(longestTask).toBeGreaterThan(0.29);
    expect(longestTask).toBeLessThan(30);
  });

  it.skipIf(path === undefined)('a page that fails: io, with what it says', async () => {
    const error = await visitPage(browser, line, sides.fails).catch((error) => error);
    expect(error).toMatchObject({ code: 'io', message: expect.stringContaining('no model of mine') });
  });
});
