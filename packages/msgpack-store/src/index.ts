export {
  type BundleBase,
  type BundledModel,
  type BundleOptions,
  bundleModels,
} from './bundle-models.js';
export {
  allCodecs,
  type CodecListOptions,
  codecList,
  DEFAULT_CODEC,
  MSGPACK_CODEC_NAMES,
  type MsgpackCodecName,
} from './codecs/codec-list.js';
export { csrGzip } from './codecs/csr-gzip.js';
export { type GzipOptions, gzip } from './codecs/gzip.js';
export { planesGzip } from './codecs/planes-gzip.js';
export { raw } from './codecs/raw.js';
export type { OpenBase } from './container/base-files.js';
export type { ContainerOptions } from './container/open-container.js';
export { isMsgpackStore, PROLOGUE_BYTES } from './container/prologue.js';
export { type CreateMsgpackOptions, createMsgpackStore } from './create-msgpack-store.js';
export type { GunzipPlatform } from './deflate/gunzip.js';
export { DEFAULT_LEVEL, type GzipLevel } from './deflate/gzip.js';
export { type MsgpackStore, type OpenMsgpackOptions, openMsgpackStore } from './open-msgpack-store.js';
export { type ReadIntegrityOptions, readIntegrity } from './read-integrity.js';
export type { CreateSha256, RunningSha256 } from './running-sha256.js';
export { type ContainerSummary, type ModelSummary, summarizeContainer } from './summarize-container.js';
