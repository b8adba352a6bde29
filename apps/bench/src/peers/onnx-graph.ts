import { type Tensor, tensorBytes } from '@prune/core';
import { ProtobufMessage } from './protobuf.js';

/** `onnx.TensorProto.DataType` of the dtypes that the graphs use. */
const DATA_TYPES: Readonly<Record<string, number>> = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 };

/** ONNX Runtime's own operators, fused ones and quantized ones. */
const MICROSOFT = 'com.microsoft';

/** A graph under construction; field numbers are those of onnx.proto (onnx 1.16). */
export class OnnxGraph {
  readonly #graph = new ProtobufMessage().text(2, 'graph');

  /** Adds a constant; returns its name. */
  constant(name: string, { dtype, shape, data }: Tensor): string {
    const proto = new ProtobufMessage();
    for (const dimension of shape) proto.int(1, dimension);
    proto.int(2, DATA_TYPES[dtype]).text(8, name).bytes(9, tensorBytes({ dtype, shape, data }));
    this.#graph.message(5, proto);
    return name;
  }

  /** Adds a node with one output or several; an input that is left out is `''`. Returns the outputs' names. */
  node(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    options: {
      readonly microsoft?: boolean;
      readonly ints?: Record<string, number>;
      readonly floats?: Record<string, number>;
      readonly intLists?: Record<string, readonly number[]>;
    } = {},
  ): readonly string[] {
    const proto = new ProtobufMessage();
    for (const input of inputs) proto.text(1, input);
    for (const output of outputs) proto.text(2, output);
    proto.text(3, outputs[0]).text(4, operator);
    for (const [name, value] of Object.entries(options.ints ?? {})) {
      proto.message(5, new ProtobufMessage().text(1, name).int(3, value).int(20, 2));
    }
    for (const [name, value] of Object.entries(options.floats ?? {})) {
      proto.message(5, new ProtobufMessage().text(1, name).float(2, value).int(20, 1));
    }
    for (const [name, values] of Object.entries(options.intLists ?? {})) {
      const attribute = new ProtobufMessage().text(1, name);
      for (const value of values) attribute.int(8, value);
      proto.message(5, attribute.int(20, 7));
    }
    if (options.microsoft) proto.text(7, MICROSOFT);
    this.#graph.message(1, proto);
    return outputs;
  }

  /** Declares an input (field 11) or an output (12); a dimension is a number or the name of one that is known when it runs. */
  value(kind: 'input' | 'output', name: string, dtype: string, shape: readonly (number | string)[]): void {
    const dimensions = new ProtobufMessage();
    for (const dimension of shape) {
      const proto = new ProtobufMessage();
      dimensions.message(1, typeof dimension === 'number' ? proto.int(1, dimension) : proto.text(2, dimension));
    }
    const tensor = new ProtobufMessage().int(1, DATA_TYPES[dtype]).message(2, dimensions);
    const proto = new ProtobufMessage().text(1, name).message(2, new ProtobufMessage().message(1, tensor));
    this.#graph.message(kind === 'input' ? 11 : 12, proto);
  }

  /** The model file, in pieces: IR version 8, opset 17, Microsoft's operators version 1. */
  model(): readonly Uint8Array[] {
    const opset = (domain: string, version: number) => new ProtobufMessage().text(1, domain).int(2, version);
    const model = new ProtobufMessage().int(1, 8).text(2, 'prune-bench');
    return model.message(7, this.#graph).message(8, opset('', 17)).message(8, opset(MICROSOFT, 1)).chunks;
  }
}
