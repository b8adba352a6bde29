import { roundUp } from './round-up.js';

/** Bytes of each type. A `bool` is an int32 that is 0 or 1; the last three are vectors of 128 bits. */
const BYTES = { i8: 1, u16: 2, i32: 4, u32: 4, f32: 4, bool: 4, i32x4: 16, f32x4: 16, f64x2: 16 } as const;

export type ScalarType = keyof typeof BYTES;
/** What a field holds: a number, an array of numbers, or an array of structs. */
export type FieldType = ScalarType | readonly [element: ScalarType | Struct, count: number];

/** One field: its address, or its offset where the struct has no address of its own. */
export interface Field<Type extends FieldType = FieldType> {
  readonly at: number;
  readonly type: Type;
}

/** Where the fields of a struct are. */
export interface Struct<Types extends Readonly<Record<string, FieldType>> = Readonly<Record<string, FieldType>>> {
  readonly at: number;
  readonly bytes: number;
  readonly fields: { readonly [Name in keyof Types]: Field<Types[Name]> };
}

/** Options of {@link struct}, all in bytes. */
export interface StructOptions {
  /** The address of a struct of which there is only one. Default: 0, so that fields have offsets. */
  readonly at?: number;
  /** Every field begins at a multiple of this. Default: 1, one field right after the other. */
  readonly align?: number;
  /** The size is rounded up to a multiple of this. Default: 1. */
  readonly multiple?: number;
}

/** Lays out fields in the order in which they are written down. */
export function struct<const Types extends Readonly<Record<string, FieldType>>>(
  types: Types,
  { at = 0, align = 1, multiple = 1 }: StructOptions = {},
): Struct<Types> {
  const fields: Record<string, Field> = {};
  let end = 0;
  for (const [name, type] of Object.entries(types)) {
    const offset = roundUp(end, align);
    fields[name] = { at: at + offset, type };
    end = offset + bytesOf(type);
  }
  return { at, bytes: roundUp(end, multiple), fields: fields as Struct<Types>['fields'] };
}

function bytesOf(type: FieldType): number {
  if (typeof type === 'string') return BYTES[type];
  const [element, count] = type;
  return count * (typeof element === 'string' ? BYTES[element] : element.bytes);
}
