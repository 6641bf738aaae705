/** How a request of the control client can fail. Callers match on `className` and `origin`. */

/** Failures the client finds itself; every other class name comes from the daemon. */
export type ClientFailureClass =
  /** The connection ended before the reply came; whether the command was carried out is unknown. */
  | 'ConnectionClosed'
  /** No reply within `timeoutMs`; the command may still be carried out. */
  | 'RequestTimeout'
  /** The caller's signal aborted; the command may still be carried out. */
  | 'RequestAborted'
  /** A reply to another request arrived: the connection is of no further use. */
  | 'ResponseMismatch'
  /** What arrived is no message of the protocol, or larger than allowed. */
  | 'MalformedReply'
  /** Nothing listens at the socket path, or it cannot be reached. */
  | 'ControlClientUnableToConnectError';

/** A request failed. The message reads `<class>: <desc>`, as users know it. */
export class ControlClientError extends Error {
  override readonly name: string = 'ControlClientError';

  constructor(
    /** Class of the error as the daemon names it, or a `ClientFailureClass`. */
    readonly className: string,
    /** What happened, for people. */
    readonly desc: string,
    /** Who says so: an error of the daemon means that it answered. */
    readonly origin: 'daemon' | 'client',
    options?: { cause: unknown },
  ) {
    super(`${className}: ${desc}`, options);
  }
}

/** There was no connection to begin with: the daemon does not run, or not at this path. */
export class ControlClientUnableToConnectError extends ControlClientError {
  override readonly name = 'ControlClientUnableToConnectError';

  constructor(
    readonly path: string,
    cause: unknown,
  ) {
    const why = (cause as { message?: string } | null | undefined)?.message ?? 'unknown reason';
    super('ControlClientUnableToConnectError', `unable to connect to the sync daemon at ${path} (${why})`, 'client', { cause });
  }
}
