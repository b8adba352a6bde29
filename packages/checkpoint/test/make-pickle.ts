/** Pickles for tests, opcode by opcode: what torch writes, and what it never would. */

export type Bytes = readonly number[];

const ascii = (text: string): Bytes => [...new TextEncoder().encode(text)];
const u32 = (value: number): Bytes => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

const PROTO: Bytes = [0x80, 2];
const STOP: Bytes = [0x2e];
const MARK: Bytes = [0x28];

export const text = (value: string): Bytes => [0x58, ...u32(ascii(value).length), ...ascii(value)];
export const integer = (value: number): Bytes =>
  value < 2 ** 31 ? [0x4a, ...u32(value)] : [0x8a, 8, ...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))];
export const bool = (value: boolean): Bytes => [value ? 0x88 : 0x89];
export const none: Bytes = [0x4e];
export const global = (module: string, name: string): Bytes => [0x63, ...ascii(`${module}\n${name}\n`)];
export const tuple = (...items: Bytes[]): Bytes => [...MARK, ...items.flat(), 0x74];
export const list = (...items: Bytes[]): Bytes => [0x5d, ...MARK, ...items.flat(), 0x65];
export const dict = (...pairs: Bytes[]): Bytes => [0x7d, ...MARK, ...pairs.flat(), 0x75];
export const call = (callable: Bytes, args: Bytes): Bytes => [...callable, ...args, 0x52];
const persistent = (id: Bytes): Bytes => [...id, 0x51];
export const pickle = (...body: Bytes[]): Uint8Array => Uint8Array.from([...PROTO, ...body.flat(), ...STOP]);

export const ORDERED_DICT = call(global('collections', 'OrderedDict'), tuple());

export interface Storage {
  readonly key: string;
  /** `FloatStorage` */
  readonly type: string;
  readonly elements: number;
  readonly module?: string;
  /** The older format's fifth part: `none`, or a view. */
  readonly view?: Bytes;
}

export const storage = ({ key, type, elements, module = 'torch', view = [] }: Storage): Bytes =>
  persistent(tuple(text('storage'), global(module, type), text(key), text('cpu'), integer(elements), view));

export interface View {
  readonly offset?: number;
  readonly size: readonly number[];
  readonly stride: readonly number[];
}

export const tensor = (of: Storage, { offset = 0, size, stride }: View): Bytes =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'),
    tuple(
      storage(of),
      integer(offset),
      tuple(...size.map(integer)),
      tuple(...stride.map(integer)),
      bool(false),
      ORDERED_DICT,
    ),
  );
