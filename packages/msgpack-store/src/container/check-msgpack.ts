import { checkLimit, PruneError } from '@prune/core';

/** Bounds on a msgpack value, checked before anything is made of it. */
export interface MsgpackLimits {
  /** Levels of arrays and maps inside each other. */
  readonly depth: number;
  /** Values of any kind, arrays, maps and keys included, that each member of the outermost map may have. */
  values(member: string): number;
}

/**
 * Walks one msgpack map without building it. Accepts what JSON has (nil, booleans, numbers, strings, arrays, maps with
 * string keys) and byte strings. Throws `corrupt` for anything else: extension types (which msgpackr would turn into
 * dates, regular expressions, records and shared references), integers that a number cannot hold, keys that occur twice
 * or are `__proto__`, and bytes that are missing or left over. Throws `limit` past `limits`. Source: the MessagePack
 * specification, https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function checkMsgpack(bytes: Uint8Array, limits: MsgpackLimits): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The arrays and maps that are open, the innermost last: how many values each still wants, and a map's keys so far.
  const open: { missing: number; keys: Set<string> | undefined }[] = [{ missing: 1, keys: undefined }];
  let at = 0;
  let values = 0;
  let mostValues = limits.values('');

  function corrupt(what: string): never {
    throw new PruneError('corrupt', { what: `manifest: ${what}`, got: `byte ${at} of ${bytes.length}` });
  }
  function skip(length: number): number {
    const start = at;
    if (length > bytes.length - at) corrupt('a msgpack value ends too early');
    at += length;
    return start;
  }
  const uint8 = () => view.getUint8(skip(1));
  const uint16 = () => view.getUint16(skip(2));
  const uint32 = () => view.getUint32(skip(4));
  function safe(value: bigint) {
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) corrupt('an integer past 2^53');
  }
  /** Opens an array or map. Each of its values takes a byte at least, so a count past what is left is a lie. */
  function enter(count: number, isMap: boolean) {
    const missing = isMap ? 2 * count : count;
    if (missing > bytes.length - at) corrupt('an array or map is longer than the manifest');
    checkLimit('manifest is nested too deeply', open.length, limits.depth);
    open.push({ missing, keys: isMap ? new Set() : undefined });
  }
  function key(keys: Set<string>) {
    const type = uint8();
    const length =
      type >= 0xa0 && type <= 0xbf
        ? type & 0x1f
        : type === 0xd9
          ? uint8()
          : type === 0xda
            ? uint16()
            : type === 0xdb
              ? uint32()
              : corrupt('a key is not a string');
    const start = skip(length);
    let name = '';
    for (let i = start; i < at; i++) name += String.fromCharCode(bytes[i]);
    // As an object's member it would be the object's prototype.
    if (name === '__proto__') corrupt('a key is __proto__');
    if (keys.has(name)) corrupt('a key occurs twice');
    keys.add(name);
    if (open.length === 2) {
      values = 0;
      mostValues = limits.values(name);
    }
  }
  function value() {
    const type = uint8();
    if (type <= 0x7f || type >= 0xe0) return;
    if (type <= 0x8f) return enter(type & 0x0f, true);
    if (type <= 0x9f) return enter(type & 0x0f, false);
    if (type <= 0xbf) return skip(type & 0x1f);
    switch (type) {
      case 0xc0: // nil
      case 0xc2: // false
      case 0xc3: // true
        return;
      case 0xc4: // bin
      case 0xd9: // str
        return skip(uint8());
      case 0xc5:
      case 0xda:
        return skip(uint16());
      case 0xc6:
      case 0xdb:
        return skip(uint32());
      case 0xcc: // uint and int
      case 0xd0:
        return skip(1);
      case 0xcd:
      case 0xd1:
        return skip(2);
      case 0xce:
      case 0xd2:
      case 0xca: // float32
        return skip(4);
      case 0xcb: // float64
        return skip(8);
      case 0xcf:
        return safe(view.getBigUint64(skip(8)));
      case 0xd3:
        return safe(view.getBigInt64(skip(8)));
      case 0xdc:
        return enter(uint16(), false);
      case 0xdd:
        return enter(uint32(), false);
      case 0xde:
        return enter(uint16(), true);
      case 0xdf:
        return enter(uint32(), true);
      default:
        at--;
        corrupt(`a msgpack type that a manifest cannot have, 0x${type.toString(16)}`);
    }
  }

  while (open.length > 0) {
    const innermost = open[open.length - 1];
    if (innermost.missing === 0) {
      open.pop();
      continue;
    }
    checkLimit('manifest has too many values', ++values, mostValues);
    const { missing, keys } = innermost;
    innermost.missing--;
    if (keys !== undefined && missing % 2 === 0) key(keys);
    else value();
  }
  if (at !== bytes.length) corrupt('bytes after the value');
}
