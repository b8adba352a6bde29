/** A value of outside data for a message: as JSON, cut short. Not `String(value)`, which calls what an object of the data says. */
export function shown(value: unknown): string {
  const json = typeof value === 'number' ? `${value}` : (JSON.stringify(value) ?? typeof value);
  return json.length > 80 ? `${json.slice(0, 80)}...` : json;
}
