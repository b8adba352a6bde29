import { readRest } from './read-rest.js';

/** How a JSON text goes on after an object without members. */
const END_OF_OBJECT = /^\s*\}/;

/**
 * The JSON text that `cutVocabulary` took apart, with an empty vocabulary; `undefined` where entries follow that the
 * lines do not have. Throws `corrupt` as `joinVocabulary` does.
 */
export function withoutVocabulary(rest: Uint8Array): Uint8Array | undefined {
  const { before, after } = readRest(rest);
  if (!END_OF_OBJECT.test(new TextDecoder().decode(after))) return undefined;
  const json = new Uint8Array(before.length + after.length);
  json.set(before);
  json.set(after, before.length);
  return json;
}
