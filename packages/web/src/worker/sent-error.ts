import { isPruneError, PruneError, type PruneErrorCode } from '@prune/core';

/** An error as it is sent between a page and its worker, where its class is lost. */
export interface SentError {
  /** `undefined` for what is not a PruneError. */
  readonly code?: PruneErrorCode;
  readonly where?: string;
  readonly tensor?: string;
  readonly what: string;
  readonly got?: string | number;
  readonly wanted?: string | number;
  /** The message of the cause. */
  readonly cause?: string;
}

/** An error made ready to be sent. */
export function sentError(error: unknown): SentError {
  if (!isPruneError(error)) return { what: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  const { code, where, tensor, what, got, wanted, cause } = error;
  return { code, where, tensor, what, got, wanted, cause: cause instanceof Error ? cause.message : undefined };
}

/** The error that was sent. */
export function receivedError({ code, cause, ...details }: SentError): Error {
  if (code === undefined) return new Error(details.what);
  return new PruneError(code, { ...details, cause: cause === undefined ? undefined : new Error(cause) });
}
