import type { Python } from '../../harness/python.js';
import type { BenchModel } from '../../model/bench-model.js';
import { plainFolder } from '../../model/plain-folder.js';
import type { PeerPrecision } from '../../peers/bert-onnx.js';
import type { Peers } from '../../peers/ensure-peers.js';
import type { PythonPeer } from '../../peers/find-python-peer.js';
import { onnxFile } from './onnx-file.js';
import { packedModel } from './packed-model.js';
import type { InferFiles } from './sides.js';

/** Runtimes that are measured beside ours. */
export interface InferPeers {
  /** Left out where ONNX Runtime could not be installed. */
  readonly node?: Peers;
  readonly python: Readonly<Partial<Record<PythonPeer, Python>>>;
}

/** The packed file of a model, and the files that the peers read, made from it. `precisions`: those of ONNX Runtime. */
export async function inferFiles(
  model: BenchModel,
  { node, python }: InferPeers,
  precisions: readonly PeerPrecision[] = ['fp32', 'int8'],
): Promise<InferFiles> {
  const packed = await packedModel(model);
  const graph = (form: PeerPrecision | 'standard') => onnxFile(model.name, packed, model.sha256, form);
  const files: { [P in PeerPrecision]?: string } = {};
  if (node) for (const precision of precisions) files[precision] = await graph(precision);
  return {
    packed,
    ...files,
    ...(node && { peers: node.folder }),
    ...(python.openvino && { standard: await graph('standard') }),
    ...(python.pytorch && { folder: await plainFolder(model) }),
    python,
  };
}
