// Opens each file of the command line with the TypeScript reader, reads everything that it holds, and prints what that
// threw, one line of JSON a file: code, message and tensor, or null. Needs a build of the packages.
import { openMsgpackFile } from '../../packages/msgpack-store/dist/node.js';

for (const path of process.argv.slice(2)) {
  let thrown = null;
  try {
    const store = await openMsgpackFile(path);
    try {
      for (const name of store.keys()) await store.get(name);
      for (const name of store.metadata.files?.keys() ?? []) await store.metadata.files.get(name);
    } finally {
      await store.close();
    }
  } catch ({ code, message, tensor = null }) {
    thrown = { code, message, tensor };
  }
  console.log(JSON.stringify(thrown));
}
