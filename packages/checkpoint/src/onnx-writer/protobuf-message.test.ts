import { describe, expect, it } from 'vitest';
import { ProtobufMessage } from './protobuf-message.js';

const bytesOf = ({ chunks, byteLength }: ProtobufMessage) => {
  const bytes = Buffer.concat(chunks as readonly Uint8Array[]);
  expect(bytes.byteLength).toBe(byteLength);
  return [...bytes];
};

describe('ProtobufMessage', () => {
  it('an empty message', () => {
    expect(bytesOf(new ProtobufMessage())).toEqual([]);
  });

  it("the encoding guide's own examples", () => {
    expect(bytesOf(new ProtobufMessage().int(1, 150))).toEqual([0x08, 0x96, 0x01]);
    expect(bytesOf(new ProtobufMessage().text(2, 'testing'))).toEqual([0x12, 0x07, ...Buffer.from('testing')]);
    const inner = new ProtobufMessage().int(1, 150);
    expect(bytesOf(new ProtobufMessage().message(3, inner))).toEqual([0x1a, 0x03, 0x08, 0x96, 0x01]);
    expect(bytesOf(new ProtobufMessage().int(1, -2))).toEqual([0x08, 0xfe, ...new Array(8).fill(0xff), 0x01]);
  });

  it('two bytes of tag, floats, lengths past 127', () => {
    expect(bytesOf(new ProtobufMessage().int(20, 2))).toEqual([0xa0, 0x01, 0x02]);
    expect(bytesOf(new ProtobufMessage().float(2, 1))).toEqual([0x15, 0, 0, 0x80, 0x3f]);
    expect(bytesOf(new ProtobufMessage().bytes(9, new Uint8Array(300))).slice(0, 4)).toEqual([0x4a, 0xac, 0x02, 0]);
  });
});
