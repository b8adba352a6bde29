import { findChromium } from '@prune/fixtures';
import puppeteer, { type Browser } from 'puppeteer-core';
import { findFirefox } from './find-firefox.js';

/** A browser that pages are opened in. */
export interface WebBrowser {
  readonly name: string;
  /** `undefined` where this machine has none. */
  find(): string | undefined;
  /** Starts it without a window, with a new profile that goes away when it is closed. */
  launch(executablePath: string): Promise<Browser>;
}

/** Chromium by its own protocol, Firefox by WebDriver BiDi. */
export const BROWSERS: readonly WebBrowser[] = [
  {
    name: 'Chromium',
    find: findChromium,
    // It refuses its sandbox to root, as which CI runs.
    launch: (executablePath) => puppeteer.launch({ browser: 'chrome', executablePath, args: ['--no-sandbox'] }),
  },
  {
    name: 'Firefox',
    find: findFirefox,
    launch: (executablePath) => puppeteer.launch({ browser: 'firefox', executablePath }),
  },
];
