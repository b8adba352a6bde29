export { type InspectedEntry, type InspectedMatrix, type Inspection, inspectStore } from './inspect-store.js';
export {
  DEFAULT_PACK_OPTIONS,
  type PackableCheckpoint,
  type PackedCheckpoint,
  type PackOptions,
  packCheckpoint,
} from './pack-checkpoint.js';
export { type PackableQuantized, type PackQuantizedOptions, packQuantized } from './pack-quantized.js';
