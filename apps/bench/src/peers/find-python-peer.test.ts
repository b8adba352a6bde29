import { expect, it } from 'vitest';
import { findPythonPeer, PYTHON_PEERS } from './find-python-peer.js';

it.each(Object.keys(PYTHON_PEERS) as (keyof typeof PYTHON_PEERS)[])(
  '%s: a Python that is not there is a reason, not an error',
  async (peer) => {
    expect(await findPythonPeer(peer, { PRUNE_PYTHON: 'no-such-python' })).toEqual({
      missing: 'there is no no-such-python',
    });
  },
);
