import { describe, expect, it } from 'vitest';
import { sidesOf } from './sides.js';

const names = (...args: Parameters<typeof sidesOf>) => [...sidesOf(...args).keys()];

describe('sidesOf', () => {
  it('ours alone where nothing else is there', () => {
    expect(names({ packed: 'm.prune' }, 1)).toEqual(['prune, float32 attention', 'prune, int16 attention']);
  });

  it('other kernels; those of WebAssembly in both modes of attention', () => {
    const sides = sidesOf({ packed: 'm.prune' }, 2, ['native-avx2', 'wasm-wide', 'wasm-simd']);
    expect([...sides.keys()].slice(2)).toEqual([
      'prune, float32 attention, native-avx2',
      'prune, float32 attention, wasm-wide',
      'prune, int16 attention, wasm-wide',
      'prune, float32 attention, wasm-simd',
    ]);
    expect(sides.get('prune, int16 attention, wasm-wide')).toEqual({
      runtime: 'prune',
      file: 'm.prune',
      threads: 2,
      kernels: 'wasm-wide',
      attention: 'int16',
    });
  });

  it('a peer needs its runtime and its file', () => {
    const python = { openvino: { command: 'python3' }, pytorch: { command: 'python3' } };
    const files = { packed: 'm.prune', int8: 'i.onnx', standard: 's.onnx', folder: 'm' };
    expect(names(files, 1).slice(2)).toEqual([]);
    expect(names({ ...files, peers: 'p' }, 1).slice(2)).toEqual(['onnxruntime-node, int8', 'onnxruntime-web, int8']);
    expect(names({ ...files, python }, 1).slice(2)).toEqual(['OpenVINO, int8', 'PyTorch, int8']);
    expect(names({ packed: 'm.prune', python, peers: 'p' }, 1).slice(2)).toEqual([]);
  });
});
