import { setFlagsFromString } from 'node:v8';

// The tests of same-bits.test.ts once more, with every function compiled by V8's optimizing compiler from its first call on: there, most are
// compiled by the baseline one, and only what is called often by the other.
setFlagsFromString('--no-liftoff');
await import('./same-bits.test.js');
