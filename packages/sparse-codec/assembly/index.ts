// The loops that decoding spends its time in. Each is the translation of a TypeScript function, which says what it
// computes and serves where WebAssembly does not; the host puts everything at the addresses of src/loops/layout.ts.
export { decodeMasks, fillColumns } from './mask';
export { decodeFourLanes, joinFour } from './rows';
export { decodeContextValues, decodeValues } from './values';
