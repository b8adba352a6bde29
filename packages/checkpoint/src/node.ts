export { type OpenCheckpoint, openCheckpoint } from './node/open-checkpoint.js';
