import { PruneError, type RandomAccess } from '@prune/core';

/** What comes in place of a file of tensors: how it begins, what it is, and what to do. */
const MISTAKES: readonly { readonly begins: RegExp; readonly got: string; readonly wanted: string }[] = [
  {
    begins: /^version https:\/\/git-lfs\.github\.com\//,
    got: 'a Git LFS pointer',
    wanted: 'the file that it stands for (git lfs pull fetches it)',
  },
  {
    begins: /^\s*<(?:!doctype\s+html|html|head|\?xml)\b/i,
    got: 'a web page',
    wanted: 'the file itself: a download saved what the server said instead',
  },
];
const HEAD_BYTES = 256;

/** The error for bytes that are not a file of tensors. Pointers of Git LFS and web pages are told by how they begin. */
export async function notTensors(
  source: RandomAccess,
  what: string,
  got: string,
  wanted?: string,
): Promise<PruneError> {
  const head = new TextDecoder().decode(await source.read(0, Math.min(HEAD_BYTES, source.size)));
  const mistake = MISTAKES.find(({ begins }) => begins.test(head));
  return new PruneError('unsupported', { what, got: mistake?.got ?? got, wanted: mistake?.wanted ?? wanted });
}
