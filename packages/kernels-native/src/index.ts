export { createNativeEngine, DEFAULT_NATIVE_ENGINE_OPTIONS, type NativeEngineOptions } from './native-engine.js';
