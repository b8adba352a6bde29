import { type JsonObject, PruneError, shown } from '@prune/core';
import { isObject } from './is-object.js';

/** Throws `unsupported` when a part of tokenizer.json is not of this type; with `undefined` when it is there at all. */
export function requireType(json: JsonObject, part: string, type: string | undefined): void {
  const value = json[part] ?? undefined;
  const got = isObject(value) ? value.type : value;
  if (got === type && (type === undefined) === (value === undefined)) return;
  throw new PruneError('unsupported', {
    where: 'tokenizer',
    what: `${part} of this type`,
    got: shown(got),
    wanted: type ?? 'none',
  });
}
