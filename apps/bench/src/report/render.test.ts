import { describe, expect, it } from 'vitest';
import { SAMPLE_REPORT } from '../../test/sample-report.js';
import { describeReport } from '../describe-report.js';
import { plot, table, text } from '../document/document.js';
import { renderHtml } from '../document/render-html.js';
import { renderMarkdown } from '../document/render-markdown.js';

const page = (sections: Parameters<typeof renderHtml>[0]['sections'], script = '') =>
  renderHtml({ title: 'T', subtitle: 's', sections, report: SAMPLE_REPORT, style: '', script });

describe('rendering', () => {
  it('an empty document', () => {
    expect(renderMarkdown('Empty', [])).toBe('# Empty\n');
    expect(page([])).toContain('<main>\n\n</main>');
  });

  it('Markdown: numbers to the right, markup in texts escaped, plots left out', () => {
    const blocks = [text('a | b <c> *d*'), plot('sizes', 'Sizes'), table('T', ['name|', 'bytes'], [['x_y', '1']])];
    expect(renderMarkdown('T', [{ id: 's', title: 'S', blocks }])).toMatchInlineSnapshot(`
      "# T

      ## S

      a \\| b \\<c\\> \\*d\\*

      **T**

      | name | bytes |
      | --- | --: |
      | x\\_y | 1 |
      "
    `);
  });

  it('HTML: texts and data cannot leave their place', () => {
    const html = page([{ id: 's', title: '<b>', blocks: [text('</p><script>')] }], 'const a = "</script>";');
    expect(html).toContain('&lt;/p&gt;&lt;script&gt;');
    expect(html).toContain('const a = "<\\/script>";');
    const json = /<script type="application\/json" id="report">(.*)<\/script>/.exec(html)![1];
    expect(json).toContain('Sample \\u003cCPU> | 1');
    expect(JSON.parse(json)).toEqual(SAMPLE_REPORT);
  });

  it('every section of a report is in the document, every table cell is filled', () => {
    const sections = describeReport(SAMPLE_REPORT);
    expect(sections.map(({ id }) => id)).toEqual([
      'summary',
      'sizes',
      'codec',
      'pack',
      'load',
      'infer',
      'speed',
      'web',
      'accuracy',
      'method',
    ]);
    for (const { blocks } of sections) {
      for (const block of blocks) {
        if (block.kind !== 'table') continue;
        for (const row of block.rows) {
          expect(row).toHaveLength(block.columns.length);
          for (const cell of row) expect(cell).not.toMatch(/undefined|NaN|^$/);
        }
      }
    }
    const markdown = renderMarkdown('Benchmarks', sections);
    expect(markdown).toContain('| HDF5, as the notebook writes it | 10.60 MB | 100.0 % |');
    expect(markdown).toContain('| .prune, gzip | 8.10 MB | 76.4 % |');
    expect(markdown).toContain('- Size of mini-qa, encoder and head: 8.10 MB (.prune, gzip), against 10.60 MB');
    expect(markdown).toContain('npm run bench -- --quick');
    expect(markdown).toContain('- infer: onnxruntime could not be installed');
  });

  it('a report of nothing still says how and why', () => {
    const { sizes, codec, pack, load, infer, speed, web, accuracy, ...nothing } = SAMPLE_REPORT;
    expect(describeReport(nothing).map(({ id }) => id)).toEqual(['method']);
  });
});
