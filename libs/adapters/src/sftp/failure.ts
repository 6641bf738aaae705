/**
 * What an SFTP server's statuses mean, in the port's words. INV-8: that a connection was cut says
 * nothing of what is on the server; only `noSuchFile` does.
 */

import type { BackendError, BackendErrorCode } from '@wl/ports';

import { plain } from '../http/connection-trouble.js';
import { failure, type Concern } from '../remote/failing.js';

export { assertWanted, damaged, failure, type Concern } from '../remote/failing.js';

/** Statuses of the protocol, version 3. */
export const Status = { end: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, badMessage: 5, noConnection: 6, connectionLost: 7, unsupported: 8 } as const;

/** The server's no to one request. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** There is no connection any more; whether the server got the request, nobody knows. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';

  constructor() {
    super('the connection was cut');
  }
}

const MEANINGS: Readonly<Record<number, readonly [BackendErrorCode, string]>> = {
  [Status.noSuchFile]: ['not-found', 'nothing of that name is there'],
  [Status.permissionDenied]: ['permission-denied', 'the server does not allow it'],
  [Status.failure]: ['io-error', 'the server could not do it'],
  // OpenSSH says so of names that are too long.
  [Status.badMessage]: ['name-not-representable', 'the server does not take the name'],
  [Status.noConnection]: ['unreachable', 'the server has no connection'],
  [Status.connectionLost]: ['unreachable', 'the server has lost its connection'],
  [Status.unsupported]: ['unsupported', 'the server cannot do this'],
};

/** What the caller has no other answer to, as an error of the port. Errors that are none of a server pass through. */
export function toFailure(error: unknown, concern: Concern): Error {
  if (error instanceof ConnectionLost) return failure('unreachable', concern, error.message, true);
  if (error instanceof Refusal) return refusalFailure(error, concern);
  return error instanceof Error ? error : new Error(String(error));
}

/** A refusal as an error of the port. */
function refusalFailure({ status, message }: Refusal, concern: Concern): BackendError {
  const [code, says] = MEANINGS[status] ?? ['io-error', 'the server could not do it'];
  const isRetryable = code === 'unreachable' || code === 'io-error';
  return failure(code, concern, `${says}, ${plain(message, 80)}, status ${String(status)}`, isRetryable);
}

/** Whether the server said just this. */
export function isRefusal(error: unknown, ...statuses: readonly number[]): error is Refusal {
  return error instanceof Refusal && (statuses.length === 0 || statuses.includes(error.status));
}

/** Runs what may be refused; `undefined` where the server says that nothing is there. */
export async function unlessMissing<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (isRefusal(error, Status.noSuchFile)) return undefined;
    throw error;
  }
}
