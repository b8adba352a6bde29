import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findChromium, SKIP_CONDITIONS } from '@prune/fixtures';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_REPORT } from '../../test/sample-report.js';
import { benchFolder } from '../bench-folder.js';
import { describeReport } from '../describe-report.js';
import { renderHtml } from '../document/render-html.js';

describe.skipIf(SKIP_CONDITIONS['no-chromium']())('the report page in Chromium', () => {
  let folder: string;
  let browser: Browser;
  let url: string;
  const sections = describeReport(SAMPLE_REPORT);
  const plots = sections.flatMap(({ blocks }) => blocks).filter(({ kind }) => kind === 'plot').length;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'prune-page-'));
    const options = { bundle: true, minify: true, format: 'iife', write: false, logLevel: 'error' } as const;
    const { outputFiles } = await build({ ...options, entryPoints: [join(benchFolder, 'src', 'entries', 'page.ts')] });
    const style = await readFile(join(benchFolder, 'page', 'style.css'), 'utf8');
    const script = outputFiles[0].text;
    const html = renderHtml({ title: 'Prune', subtitle: 'sample', sections, report: SAMPLE_REPORT, style, script });
    await writeFile(join(folder, 'report.html'), html);
    url = pathToFileURL(join(folder, 'report.html')).href;
    browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    { name: 'desk, light', width: 1280, colorScheme: 'light' as const, ground: 'rgb(255, 255, 255)' },
    { name: 'phone, dark', width: 360, colorScheme: 'dark' as const, ground: 'rgb(20, 23, 28)' },
  ])('$name: plots are drawn, nothing fails, nothing is fetched', async ({ width, colorScheme, ground }) => {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    const problems: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:')) problems.push(`request: ${request.url()}`);
    });
    await page.goto(url);
    expect(plots).toBeGreaterThan(5);
    expect(await page.locator('figure[data-plot]').count()).toBe(plots);
    for (const figure of await page.locator('figure[data-plot]').all()) {
      // A bar or a point that can be seen, and the label of an axis.
      const marks = figure.locator('svg [aria-label="bar"] rect, svg [aria-label="dot"] circle');
      const sizes = await marks.evaluateAll((all) => all.map((mark) => mark.getBoundingClientRect().width));
      expect(Math.max(...sizes), (await figure.textContent()) ?? '').toBeGreaterThan(1);
      expect(await figure.locator('svg text').count()).toBeGreaterThan(2);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(ground);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('a choice draws another plot, the theme button turns the theme, a narrower window draws anew', async () => {
    const page = await browser.newPage({ viewport: { width: 1000, height: 800 }, colorScheme: 'light' });
    await page.goto(url);
    const sizes = page.locator('figure[data-plot="sizes"]');
    const drawn = () => sizes.locator('svg').last().innerHTML();
    const before = await drawn();
    await sizes.locator('select').selectOption({ index: 1 });
    const chosen = await drawn();
    expect(chosen).not.toBe(before);
    await page.setViewportSize({ width: 500, height: 800 });
    await expect.poll(drawn).not.toBe(chosen);
    await page.getByRole('button').click();
    await page.getByRole('button').click();
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(20, 23, 28)');
    await page.close();
  });

  it('without scripts the tables are there', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(url);
    expect(await page.locator('table').count()).toBeGreaterThan(4);
    expect(await page.getByText('8.10 MB').first().isVisible()).toBe(true);
    await context.close();
  });
});
