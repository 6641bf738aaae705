/**
 * How much one client may cost the daemon. Every bound of the control socket
 * stands here, so that "a bad client harms only itself" can be checked by
 * reading one page; a server takes overrides (tests use tiny ones).
 */

/** The bounds a `ControlServer` keeps. Sizes are bytes, times are milliseconds. */
export interface ControlLimits {
  /** Largest request, its separator not counted. A larger one is answered with an error and the connection ends. */
  readonly maxRequestBytes: number;
  /** Connections served at the same time. Further ones are answered with an error and closed. */
  readonly maxConnections: number;
  /**
   * Bytes of events that may wait for one slow reader. At one byte more the
   * reader is disconnected: dropping single events would leave it waiting for a
   * state that was announced and lost, while an end of stream cannot be missed.
   */
  readonly maxQueuedEventBytes: number;
  /**
   * Time a client has to finish what it owes: its first request after it
   * connected, and any request after its first byte. A client that owes nothing
   * (it waits for events) may stay silent for ever.
   */
  readonly requestTimeoutMs: number;
  /** Time a reply may wait for its reader. Replies have no size limit, so time bounds how long they are held. */
  readonly replyTimeoutMs: number;
  /** Time a refused client has to read why, its further bytes being thrown away. */
  readonly lingerMs: number;
}

/** Default of `ControlLimits.maxRequestBytes`: 1 MiB, a thousand times the largest request seen. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** Default of `ControlLimits.maxConnections`. */
export const MAX_CONNECTIONS = 256;

/** Default of `ControlLimits.maxQueuedEventBytes`: 4 MiB, some ten thousand progress events. */
export const MAX_QUEUED_EVENT_BYTES = 4 * 1024 * 1024;

/** Default of `ControlLimits.requestTimeoutMs`: long enough for a person typing into `socat`. */
export const REQUEST_TIMEOUT_MS = 60_000;

/** Default of `ControlLimits.replyTimeoutMs`. */
export const REPLY_TIMEOUT_MS = 60_000;

/** Default of `ControlLimits.lingerMs`. */
export const LINGER_MS = 1_000;

/**
 * Requests from this size on, in bytes, are handled one a turn of the event loop
 * over all connections: a hostile megabyte of JSON takes 0.2 s to parse, and
 * hundreds of them at once must not stop the clock of the jobs.
 */
export const LARGE_REQUEST_BYTES = 32 * 1024;

/** Refused clients that may linger at the same time; with more of them the next is closed without a word. */
export const MAX_LINGERING = 64;

/** The limits of a server that is given none. */
export const DEFAULT_CONTROL_LIMITS: ControlLimits = {
  maxRequestBytes: MAX_REQUEST_BYTES,
  maxConnections: MAX_CONNECTIONS,
  maxQueuedEventBytes: MAX_QUEUED_EVENT_BYTES,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  replyTimeoutMs: REPLY_TIMEOUT_MS,
  lingerMs: LINGER_MS,
};

/** Default of the largest message a client accepts from the daemon, in bytes: 64 MiB, a status with 100,000 conflicts. */
export const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** Events a client keeps while nobody listens; beyond it the oldest are let go. */
export const MAX_BUFFERED_EVENTS = 10_000;
