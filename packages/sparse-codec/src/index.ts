export { decodeCsr } from './decode-csr.js';
export { DEFAULT_PRESET, type EncodeOptions, encodeCsr, type Preset } from './encode-csr.js';
export { entropyCodec } from './entropy-codec.js';
export { type CsrBlock, type CsrStream, type DecodeOptions, openCsr } from './open-csr.js';
export { type RowsCodecOptions, rowsCodec } from './rows/rows-codec.js';
