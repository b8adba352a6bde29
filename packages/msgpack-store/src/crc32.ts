export { type Crc32, crc32 } from '@prune/core';
