import pc from 'picocolors';

/** Colours for a person at a terminal: a pipe or a file gets plain text, whatever `CI` says. `NO_COLOR` and `FORCE_COLOR` are obeyed. */
function colorsOf(stream: NodeJS.WriteStream) {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return pc.createColors(false);
  return pc.createColors(Boolean(FORCE_COLOR || (stream.isTTY && TERM !== 'dumb')));
}

/** No colours, for what is escaped as a whole. */
export const PLAIN = pc.createColors(false);
export const out = colorsOf(process.stdout);
export const err = colorsOf(process.stderr);
