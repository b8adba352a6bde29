import type { PythonPeer } from '../../peers/find-python-peer.js';

/** A runtime in a process of its own, as it is told to start. All plain JSON. */
export type SideSpec = NodeSpec | PythonSpec;

/** What a process of Node runs. */
export type NodeSpec = PruneSpec | PeerSpec;

/** Kernels of ours beside those that are chosen by default, in the order of the report. All give the same bits. */
export const OTHER_KERNELS = ['native-avx2', 'wasm-wide', 'wasm-relaxed', 'wasm-simd'] as const;
export type OtherKernels = (typeof OTHER_KERNELS)[number];

/** Ours, from a packed file. */
export interface PruneSpec {
  readonly runtime: 'prune';
  readonly file: string;
  readonly threads: number;
  /** `auto`: native kernels where they are built. For `wasm-wide`, the process turns V8's experimental pass on. */
  readonly kernels: 'auto' | OtherKernels;
  readonly attention: 'float32' | 'int16';
  /** Left out: the file's own. */
  readonly profile?: 'fbgemm' | 'fbgemm-1.5';
}

/** ONNX Runtime, from a graph that the bench made of the same weights. */
export interface PeerSpec {
  readonly runtime: 'onnxruntime-node' | 'onnxruntime-web';
  readonly precision: 'fp32' | 'int8';
  readonly file: string;
  readonly threads: number;
  /** Where the peers are installed. */
  readonly peers: string;
}

/** A runtime in Python; `python/infer_peer.py` runs it. */
export interface PythonSpec {
  readonly runtime: PythonPeer;
  readonly python: string;
  /** OpenVINO: the graph of standard operators. PyTorch: the model's folder, as transformers reads it. */
  readonly file: string;
  readonly threads: number;
}

/** A batch of full-length sequences of seeded token ids. */
export interface Work {
  readonly batch: number;
  readonly tokens: number;
}

/** What a side is asked, one thing at a time. */
export type Request =
  | { readonly ask: 'logits'; readonly work: Work }
  | { readonly ask: 'time'; readonly work: Work; readonly runs: number };

/** What a side says when its model is loaded. */
export interface Ready {
  readonly loadSeconds: number;
  /** What computes: the name of our kernels, or the form that a peer has chosen. */
  readonly kernels?: string;
  /** Of a runtime in Python. */
  readonly version?: string;
}

/** What it answers. */
export type Response =
  | { readonly ready: Ready }
  | { readonly logits: readonly number[] }
  | { readonly seconds: readonly number[] }
  | { readonly error: string };
