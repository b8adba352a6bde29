import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { library } from '../../tooling/tsup.js';
import { kernelFiles } from './src/wasm/kernel-files.js';
import { WEB_WORKER_SOURCE } from './src/wasm/thread-host.js';

/** What the package exports beside its code, made from what the code holds. */
const FILES: Record<string, string | Uint8Array> = {
  'worker.js': WEB_WORKER_SOURCE,
  ...Object.fromEntries([...kernelFiles()].map(([name, bytes]) => [`wasm/${name}`, bytes])),
};

export default library(['src/index.ts', 'src/node.ts', 'src/spec.ts'], {
  async onSuccess() {
    for (const [name, content] of Object.entries(FILES)) {
      const path = join('dist', name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
  },
});
