import { createHash } from 'node:crypto';
import type { CreateSha256 } from '../running-sha256.js';

/** OpenSSL's, which uses the processor's instructions for it. */
export const nodeSha256: CreateSha256 = () => createHash('sha256');
