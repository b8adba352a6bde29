export { type BundleFilesOptions, bundleFiles } from './node/bundle-files.js';
export { CODEC_NAMES, type CodecName, createStore, type StoreOptions } from './node/create-store.js';
export { type ModelAddress, modelAddress } from './node/model-address.js';
export { type StoreKind, storeOfName } from './node/model-path.js';
export { type OpenFileOptions, type OpenModel, type OpenStore, openModel, openStore } from './node/open-model.js';
export { outputFiles } from './node/output-files.js';
export { isUrl, type OpenUrl, type RemoteOptions } from './node/remote-files.js';
export { type ContainerSummary, summarizeFile } from './node/summarize-file.js';
export {
  UNPACKED_FORMS,
  type UnpackedForm,
  type UnpackModelOptions,
  unpackedFiles,
  unpackModel,
} from './node/unpack-model.js';
