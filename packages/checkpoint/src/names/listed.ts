const SHOWN = 4;

/** The first of some names for a message, and how many there are besides. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => (name.length > 120 ? `${name.slice(0, 120)}...` : name));
  const more = names.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`;
}
