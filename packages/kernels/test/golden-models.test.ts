import { createEngine } from '../src/index.js';
import { goldenModelsOn } from './golden-models-suite.js';

goldenModelsOn(createEngine);
