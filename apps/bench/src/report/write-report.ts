import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { benchFolder } from '../bench-folder.js';
import type { Section } from '../document/document.js';
import { renderHtml } from '../document/render-html.js';
import { renderMarkdown } from '../document/render-markdown.js';
import type { Report } from './report.js';

/** Where a report is written: the page, the document, the figures. */
export interface ReportPaths {
  readonly html: string;
  readonly markdown: string;
  readonly json: string;
}

const TITLE = 'Prune benchmarks';

/** Writes a report in its three forms; the page's script is the built one. */
export async function writeReport(report: Report, sections: readonly Section[], paths: ReportPaths): Promise<void> {
  const { machine, created, revision } = report;
  const commit = revision.commit?.slice(0, 10) ?? 'no commit';
  const subtitle = `${machine.cpu}, Node ${machine.node}, ${created.slice(0, 10)}, ${commit}`;
  const style = await readFile(join(benchFolder, 'page', 'style.css'), 'utf8');
  const script = await readFile(join(benchFolder, 'dist', 'page.js'), 'utf8');
  for (const path of Object.values(paths)) await mkdir(dirname(path), { recursive: true });
  await writeFile(paths.json, `${JSON.stringify(report, null, 1)}\n`);
  await writeFile(paths.markdown, renderMarkdown(TITLE, sections));
  await writeFile(paths.html, renderHtml({ title: TITLE, subtitle, sections, report, style, script }));
}
