import { findPython } from '../src/harness/python.js';
import { installedPeers } from '../src/peers/ensure-peers.js';
import { findPythonPeer } from '../src/peers/find-python-peer.js';
import { findNncodec } from '../src/sections/codec/find-nncodec.js';
import { findFirefox } from '../src/sections/web/find-firefox.js';

/** As `SKIP_CONDITIONS` of `@prune/fixtures`, for what the bench itself looks for. */
export const BENCH_SKIP_CONDITIONS = {
  'no-notebook-python': async () => 'missing' in (await findPython()),
  'no-firefox': async () => findFirefox() === undefined,
  'no-nncodec': async () => 'missing' in (await findNncodec()),
  'no-onnxruntime': async () => (await installedPeers()) === undefined,
  'no-openvino': async () => 'missing' in (await findPythonPeer('openvino')),
  'no-pytorch': async () => 'missing' in (await findPythonPeer('pytorch')),
} satisfies Record<string, () => Promise<boolean>>;
