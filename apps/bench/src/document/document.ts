/** A report as a document: what Markdown and HTML are both made of. */
export interface Section {
  /** Its anchor. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** A piece of a section. Texts are plain: no markup in them. */
export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'code'; readonly text: string }
  | {
      readonly kind: 'table';
      readonly title: string;
      readonly columns: readonly Column[];
      readonly rows: readonly Row[];
    }
  /** Drawn from report.json by the page's script; Markdown leaves it out, the tables say the same. */
  | { readonly kind: 'plot'; readonly plot: string; readonly title: string };

export interface Column {
  readonly title: string;
  /** Aligned right. */
  readonly number?: boolean;
}

export type Row = readonly string[];

export const text = (text: string): Block => ({ kind: 'text', text });
export const list = (...items: string[]): Block => ({ kind: 'list', items });
export const code = (text: string): Block => ({ kind: 'code', text });
export const plot = (plot: string, title: string): Block => ({ kind: 'plot', plot, title });

/** A table whose columns are numbers but for those that end with `|`. */
export function table(title: string, columns: readonly string[], rows: readonly Row[]): Block {
  return {
    kind: 'table',
    title,
    columns: columns.map((name) => ({ title: name.replace(/\|$/, ''), number: !name.endsWith('|') })),
    rows,
  };
}
