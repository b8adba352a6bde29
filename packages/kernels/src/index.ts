export { createEngine, DEFAULT_ENGINE_OPTIONS, type EngineOptions } from './create-engine.js';
export type { Engine, KernelModules, Kernels, NativeKernels, WasmKernels } from './engine.js';
export type { NativeEngines } from './native-engines.js';
export type { LinearMode } from './reference/linear.js';
export type { Encoder, EncoderOutput, ForwardOptions } from './spec/encoder.js';
export type {
  Activation,
  AnyLinear,
  AttentionMode,
  EncoderLayer,
  EncoderSpec,
  FloatLinear,
  LayerLinear,
  LayerNormParameters,
} from './spec/encoder-spec.js';
export type { LoadedLinear } from './spec/loaded-linear.js';
export type { Thread, ThreadHost, ThreadStart } from './wasm/thread-host.js';
export { WORKER_SOURCE } from './wasm/thread-host.js';
export { type WebWorker, webWorkers } from './wasm/web-workers.js';
