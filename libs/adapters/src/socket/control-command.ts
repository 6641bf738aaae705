/** What the application gives the control server: commands, and what a command may do with its connection. */

import type { ControlEvent } from './control-event.js';
import type { ControlArguments } from './control-request.js';

/** Result of a command whose connection is closed without a reply, as the protocol has it for `shutdown`. */
export const NO_REPLY_CLOSE: unique symbol = Symbol('no reply, close');

/** The connection a request came on. */
export interface ControlConnection {
  /** Counts from 1 and is never used again while the server lives. */
  readonly id: number;
  /** Whether replies and events can still be sent. */
  readonly isOpen: boolean;
  /**
   * Sends an event, also while a command is in progress. Answers whether it was
   * taken: not when the connection is closed, nor when the reader is so slow that
   * it is disconnected for it. Never throws, never waits.
   */
  sendEvent(event: ControlEvent): boolean;
  /**
   * Calls `callback` once when the connection is gone, soon if it is already.
   * The returned function takes that back. A client that closed only its own half
   * is not gone: it may be waiting for the reply.
   */
  onClose(callback: () => void): () => void;
  /**
   * As `onClose`, for what takes long while nobody may wait for it any more: of a client that ended
   * its half it is found out whether it is there, by a space before the reply (white space in JSON).
   */
  onGone(callback: () => void): () => void;
}

/** One command of the control protocol. */
export interface ControlCommand {
  /** The reason why `args` are not acceptable, or `undefined` when they are. Answered as `SchemaError`. */
  validate(args: ControlArguments): string | undefined;
  /**
   * Carries the command out and resolves to its result, a JSON value
   * (`undefined` counts as null), or to `NO_REPLY_CLOSE`. A rejection becomes the
   * error reply: class from `className` or else `name`, text from `message`.
   */
  run(args: ControlArguments, connection: ControlConnection): Promise<unknown>;
}

/** Where the server reports what nobody is told otherwise. `fields` never hold arguments of a request. */
export type ControlLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => void;
