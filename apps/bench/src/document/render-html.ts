import type { Block, Section } from './document.js';

/** What a page is made of. */
export interface PageParts {
  readonly title: string;
  /** One line under the title. */
  readonly subtitle: string;
  readonly sections: readonly Section[];
  /** What the page's script draws from, embedded as JSON. */
  readonly report: unknown;
  /** CSS. */
  readonly style: string;
  /** The built page script, which draws the plots from the report. */
  readonly script: string;
}

/** One self-contained HTML file: nothing is loaded, and its content security policy allows nothing to be. Without scripts the tables remain. */
export function renderHtml({ title, subtitle, sections, report, style, script }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>
${style}
</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p class="subtitle">${escapeHtml(subtitle)}</p>
<nav>${sections.map(({ id, title }) => `<a href="#${id}">${escapeHtml(title)}</a>`).join('')}<button type="button" id="theme" hidden>Theme</button></nav>
</header>
<main>
${sections.map(section).join('\n')}
</main>
<script type="application/json" id="report">${JSON.stringify(report).replaceAll('<', '\\u003c')}</script>
<script>
${script.replaceAll('</script', '<\\/script')}
</script>
</body>
</html>
`;
}

function section({ id, title, blocks }: Section): string {
  return `<section id="${id}">\n<h2>${escapeHtml(title)}</h2>\n${blocks.map(block).join('\n')}\n</section>`;
}

function block(block: Block): string {
  if (block.kind === 'text') return `<p>${escapeHtml(block.text)}</p>`;
  if (block.kind === 'list') return `<ul>${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
  if (block.kind === 'code') return `<pre>${escapeHtml(block.text)}</pre>`;
  if (block.kind === 'plot') {
    return `<figure data-plot="${block.plot}"><figcaption>${escapeHtml(block.title)}</figcaption></figure>`;
  }
  const cell = (tag: string, text: string, number?: boolean) =>
    `<${tag}${number ? ' class="n"' : ''}>${escapeHtml(text)}</${tag}>`;
  const head = block.columns.map(({ title, number }) => cell('th', title, number)).join('');
  const body = block.rows.map(
    (row) => `<tr>${row.map((text, i) => cell('td', text, block.columns[i].number)).join('')}</tr>`,
  );
  return `<div class="scroll" tabindex="0"><table><caption>${escapeHtml(block.title)}</caption><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
