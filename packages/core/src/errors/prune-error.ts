import { escapeControls } from './escape-controls.js';

/** What kind of thing went wrong; callers branch on it, people read the message. */
export type PruneErrorCode =
  /** The data ends before what it declares. */
  | 'truncated'
  /** A checksum or the structure contradicts itself. */
  | 'corrupt'
  /** Valid, but nothing that this software handles (a dtype, a version, a codec, a pickle global). */
  | 'unsupported'
  /** Shapes, dtypes, names or a config that do not fit each other. */
  | 'mismatch'
  /** More than a stated limit allows; raised before memory is taken. */
  | 'limit'
  /** A file, tensor, module or head that is not there. */
  | 'missing'
  /** NaN or an infinity where a finite number is needed. */
  | 'not-finite'
  /** The caller's own option or argument is wrong. */
  | 'invalid-argument'
  /** The caller aborted the work. */
  | 'aborted'
  /** The operating system or another library refused; `cause` says why. */
  | 'io';

/** The typed fields of a {@link PruneError}. */
export interface PruneErrorDetails {
  /** Where: a file's name, or the package that noticed (`csr`, `quant`). */
  readonly where?: string;
  /** The tensor or module at fault. */
  readonly tensor?: string;
  /** The text at fault, of the texts that a function was called with: its place among them, from 0. */
  readonly text?: number;
  /** What is wrong, in a few words. */
  readonly what: string;
  /** What was found. */
  readonly got?: string | number;
  /** What was wanted instead. */
  readonly wanted?: string | number;
  readonly cause?: unknown;
}

// Symbol.for, so that an error made by another installed copy of this package is still recognised.
const BRAND = Symbol.for('@prune/core/PruneError');

/**
 * The one error class of all Prune packages. Its message reads `where: what, got G, wanted W (tensor "T")`, or
 * `(texts[3])`, with control characters escaped, because files choose some of these words and terminals show them; the
 * fields keep them as they are.
 */
export class PruneError extends Error implements PruneErrorDetails {
  readonly code: PruneErrorCode;
  readonly where?: string;
  readonly tensor?: string;
  readonly text?: number;
  readonly what: string;
  readonly got?: string | number;
  readonly wanted?: string | number;

  constructor(code: PruneErrorCode, details: PruneErrorDetails) {
    super(messageOf(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'PruneError';
    this.code = code;
    this.where = details.where;
    this.tensor = details.tensor;
    this.text = details.text;
    this.what = details.what;
    this.got = details.got;
    this.wanted = details.wanted;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether `error` is a {@link PruneError}, made by this copy of the package or another. */
export function isPruneError(error: unknown, code?: PruneErrorCode): error is PruneError {
  return (
    error instanceof Error &&
    (error as { [BRAND]?: boolean })[BRAND] === true &&
    (code === undefined || (error as PruneError).code === code)
  );
}

/**
 * The same error with the place filled in where it was not known yet (a parser knows the offset, its caller the file).
 * Anything that is no {@link PruneError} is wrapped as `io` with its cause kept.
 */
export function locateError(
  error: unknown,
  place: { readonly where?: string; readonly tensor?: string; readonly text?: number },
): PruneError {
  if (!isPruneError(error)) {
    const what = error instanceof Error ? error.message : String(error);
    return new PruneError('io', { ...place, what, cause: error });
  }
  const { where = place.where, tensor = place.tensor, text = place.text, what, got, wanted, cause } = error;
  if (where === error.where && tensor === error.tensor && text === error.text) return error;
  return new PruneError(error.code, {
    where,
    tensor,
    text,
    what,
    got,
    wanted,
    cause: cause ?? error,
  });
}

// The types of Node and those of the DOM have this interface. A program with neither of them compiles against ours;
// where one of them is there, the declarations merge.
declare global {
  interface AbortSignal {
    readonly aborted: boolean;
  }
}

/** Throws `aborted` when `signal` is aborted; called between the steps of long work. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new PruneError('aborted', { what: 'stopped before it was done', cause: signal.reason });
}

function messageOf({ where, what, got, wanted, tensor, text }: PruneErrorDetails): string {
  let message = where === undefined ? what : `${where}: ${what}`;
  if (got !== undefined) message += `, got ${got}`;
  if (wanted !== undefined) message += `, wanted ${wanted}`;
  if (tensor !== undefined) message += ` (tensor "${tensor}")`;
  if (text !== undefined) message += ` (texts[${text}])`;
  return escapeControls(message);
}
