import { library } from '../../tooling/tsup.js';

export default library(['src/main.ts'], { platform: 'node', dts: false });
