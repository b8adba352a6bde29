/** Options of {@link escapeControls}. */
export interface EscapeControlsOptions {
  /** Leaves newlines and tabs as they are: for text whose lines are ours. Default: false. */
  readonly keepLines?: boolean;
}

// By Unicode's own classes: C0, DEL and C1 (Cc), lone surrogates (Cs), the line and the paragraph separator, and the
// marks, overrides and isolates that change the direction of the text around them. The flag `u` spares pairs of surrogates.
const CONTROLS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/**
 * Text of others made safe for a terminal: each character that controls it is written as JSON escapes it, `\u001b` for
 * ESC. JSON text stays JSON of the same value. At most six times as long; escaping twice changes nothing more.
 */
export function escapeControls(text: string, { keepLines = false }: EscapeControlsOptions = {}): string {
  return text.replace(CONTROLS, (control) => {
    if (keepLines && (control === '\n' || control === '\t')) return control;
    return SHORT.get(control) ?? `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
