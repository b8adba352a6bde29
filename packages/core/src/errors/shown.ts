import { escapeControls } from './escape-controls.js';

/**
 * A value of outside data for a message: as JSON, cut short, control characters escaped. Not `String(value)`, which
 * calls what an object of the data says.
 */
export function shown(value: unknown): string {
  const json = typeof value === 'number' ? `${value}` : (JSON.stringify(value) ?? typeof value);
  // Escaped last, because a cut may leave half of a surrogate pair.
  return escapeControls(json.length > 80 ? `${json.slice(0, 80)}...` : json);
}
