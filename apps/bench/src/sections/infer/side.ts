/** A runtime in a process of its own, as it is told to start. All plain JSON. */
export type SideSpec = PruneSpec | PeerSpec;

/** Ours, from a packed file. */
export interface PruneSpec {
  readonly runtime: 'prune';
  readonly file: string;
  readonly threads: number;
  /** `wide`: those of V8's experimental pass, which its process turns on. */
  readonly kernels: 'auto' | 'wide' | 'wasm-relaxed' | 'wasm-simd';
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

/** A batch of full-length sequences of seeded token ids. */
export interface Work {
  readonly batch: number;
  readonly tokens: number;
}

/** What a side is asked, one thing at a time. */
export type Request =
  | { readonly ask: 'logits'; readonly work: Work }
  | { readonly ask: 'time'; readonly work: Work; readonly runs: number };

/** What it answers. */
export type Response =
  | { readonly ready: { readonly loadSeconds: number; readonly kernels?: string } }
  | { readonly logits: readonly number[] }
  | { readonly seconds: readonly number[] }
  | { readonly error: string };
