import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** Serves a folder, opens a page of it in Chromium and returns the text that the page shows, once it shows one. */
export async function openPage(folder, executablePath, file = '') {
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const path = join(folder, normalize(pathname === '/' ? '/index.html' : pathname));
    if (!existsSync(path)) response.writeHead(404).end();
    else {
      response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
      createReadStream(path).pipe(response);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await shownBy(`http://127.0.0.1:${server.address().port}/${file}`, executablePath);
  } finally {
    server.close();
  }
}

/** Opens a page in Chromium and returns the text that it shows, once it shows one. */
export async function shownBy(url, executablePath) {
  // Chromium refuses its sandbox to root, as which CI runs.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const failed = new Promise((_, reject) => page.on('pageerror', reject));
    await page.goto(url);
    const shown = page.waitForFunction('document.body.innerText.trim()', undefined, { timeout: 120_000 });
    return await (await Promise.race([shown, failed])).jsonValue();
  } finally {
    await browser.close();
  }
}
