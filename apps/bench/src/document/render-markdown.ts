import type { Block, Section } from './document.js';

/** The document as Markdown; plots are left out, their numbers are in the tables. */
export function renderMarkdown(title: string, sections: readonly Section[]): string {
  const parts = sections.flatMap((section) => [`## ${plain(section.title)}`, ...section.blocks.flatMap(block)]);
  return `${[`# ${plain(title)}`, ...parts].join('\n\n')}\n`;
}

function block(block: Block): string[] {
  if (block.kind === 'text') return [plain(block.text)];
  if (block.kind === 'list') return [block.items.map((item) => `- ${plain(item)}`).join('\n')];
  if (block.kind === 'code') return [`\`\`\`\n${block.text}\n\`\`\``];
  if (block.kind === 'plot') return [];
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => plain(cell)).join(' | ')} |`;
  const rule = `| ${block.columns.map(({ number }) => (number ? '--:' : '---')).join(' | ')} |`;
  return [
    `**${plain(block.title)}**`,
    [line(block.columns.map(({ title }) => title)), rule, ...block.rows.map(line)].join('\n'),
  ];
}

/** Plain text in Markdown: what would be markup is escaped. */
function plain(text: string): string {
  return text.replace(/[\\`*_|<>[\]]/g, '\\$&').replaceAll('\n', ' ');
}
