import type { FieldType, Struct } from './struct.js';

/** The types of the fields that {@link writeStruct} can write, and of those that it leaves alone. */
type WordType = 'bool' | 'i32' | 'u32' | 'f32' | Exclude<FieldType, string>;

/** A value for each field of a struct that is a number. */
export type StructValues<S extends Struct> =
  S extends Struct<infer Types>
    ? {
        [Name in keyof Types as Types[Name] extends string ? Name : never]: Types[Name] extends 'bool'
          ? boolean
          : number;
      }
    : never;

/**
 * Writes the numbers of a struct, 0 for those that are left out. Arrays are left as they are. The struct begins at
 * `begin`, which is 0 where its fields have addresses of their own.
 */
export function writeStruct<Types extends Readonly<Record<string, WordType>>>(
  view: DataView,
  begin: number,
  { fields }: Struct<Types>,
  values: Partial<StructValues<Struct<Types>>>,
): void {
  for (const name of Object.keys(fields) as (keyof Types & keyof typeof values)[]) {
    const { at, type } = fields[name];
    const value = Number(type === 'bool' ? Boolean(values[name]) : (values[name] ?? 0));
    if (type === 'f32') view.setFloat32(begin + at, value, true);
    else if (typeof type === 'string') view.setInt32(begin + at, value, true);
  }
}
