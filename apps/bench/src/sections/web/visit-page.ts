import { PruneError } from '@prune/core';
import type { Browser } from 'puppeteer-core';
import type { SentBytes, SlowLine } from './slow-line.js';
import type { PageOutcome } from './web-pages.js';
import type { WebSide } from './web-side.js';

/** What a page answered, when, and what it was sent. */
export interface Visit extends SentBytes {
  readonly text: string;
  readonly score: number;
  readonly seconds: number;
  readonly longestTask: number;
}

/** Milliseconds that the dense model may take. */
const TIMEOUT = 300_000;

/**
 * Opens a side's page, waits for its answer and stays for so many milliseconds. Throws `io` with what the page says
 * when it fails.
 */
export async function visitPage(browser: Browser, line: SlowLine, side: WebSide, stay = 0): Promise<Visit> {
  line.begin(side);
  const page = await browser.newPage();
  try {
    await page.goto(`${line.origin}${side.page}`, { waitUntil: 'domcontentloaded', timeout: TIMEOUT });
    // Rarely, because the question runs in the page.
    await page.waitForFunction('globalThis.outcome !== undefined', { timeout: TIMEOUT, polling: 500 });
    const outcome = (await page.evaluate('globalThis.outcome')) as PageOutcome;
    if ('error' in outcome) {
      throw new PruneError('io', { where: `${side.name} in ${await browser.version()}`, what: outcome.error });
    }
    await new Promise((resolve) => setTimeout(resolve, stay));
    return { ...outcome, ...line.sent() };
  } finally {
    await page.close();
  }
}
