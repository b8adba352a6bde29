import { library } from '../../tooling/tsup.js';

export default library(['src/index.ts', 'src/node.ts'], {
  // msgpackr has an optional dependency with an install script, which users of this package would have to allow. The
  // build that we import never looks for it. THIRD-PARTY-NOTICES goes with the code.
  noExternal: ['msgpackr'],
});
