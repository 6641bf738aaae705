/**
 * The command line's end of the control socket: one connection, requests that
 * are answered in order, events in between. Whatever the daemon does, a waiting
 * caller gets an answer or an error; end of stream is an error (W-38: the
 * original spun on it for ever).
 */

import type { Socket } from 'node:net';

import { ControlClientError, ControlClientUnableToConnectError, type ClientFailureClass } from './client-errors.js';
import type { ControlEvent } from './control-event.js';
import { parseDaemonMessage, type DaemonMessage } from './control-reply.js';
import { encodeRequest, type ControlArguments } from './control-request.js';
import { EventMailbox } from './event-mailbox.js';
import { MAX_BUFFERED_EVENTS, MAX_REPLY_BYTES } from './limits.js';
import { MessageSplitter, type Frame } from './message-splitter.js';
import { realSchedule, type Schedule } from './schedule.js';
import { connectToSocket } from './socket-path.js';

/** How a client behaves; everything has a default. */
export interface ControlClientOptions {
  /** Largest message accepted from the daemon, in bytes. */
  readonly maxReplyBytes?: number;
  /** Events kept while nobody listens. */
  readonly maxBufferedEvents?: number;
  /** Timers; the real clock by default. */
  readonly schedule?: Schedule;
}

/** How long one request may wait. Giving up does not take the command back. */
export interface ControlRequestOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** A request on the wire. `settle` is gone once its caller has given up; the reply is still awaited, to keep count. */
interface SentRequest {
  readonly id: number;
  settle: ((outcome: DaemonMessage & { kind: 'result' | 'error' } | ControlClientError) => void) | undefined;
}

/** A connection to the sync daemon. */
export class ControlClient {
  readonly #socket: Socket;
  readonly #schedule: Schedule;
  readonly #splitter: MessageSplitter;
  readonly #events: EventMailbox;
  readonly #sent: SentRequest[] = [];
  readonly #closeCallbacks = new Set<(failure: ControlClientError | undefined) => void>();
  #lastId = 0;
  /** What the daemon said about the connection as a whole, outside any request. */
  #refusal: ControlClientError | undefined;
  #end: { readonly failure: ControlClientError | undefined } | undefined;

  /** Connects to the daemon's socket. Rejects with `ControlClientUnableToConnectError`. */
  static async connect(path: string, options: ControlClientOptions = {}): Promise<ControlClient> {
    let socket: Socket;
    try {
      socket = await connectToSocket(path);
    } catch (error) {
      throw new ControlClientUnableToConnectError(path, error);
    }
    return new ControlClient(socket, options);
  }

  private constructor(socket: Socket, options: ControlClientOptions) {
    this.#socket = socket;
    this.#schedule = options.schedule ?? realSchedule;
    this.#splitter = new MessageSplitter(options.maxReplyBytes ?? MAX_REPLY_BYTES);
    this.#events = new EventMailbox(options.maxBufferedEvents ?? MAX_BUFFERED_EVENTS);
    socket.on('data', (chunk) => {
      for (const frame of this.#splitter.push(chunk)) this.#receive(frame);
    });
    socket.on('end', () => {
      const last = this.#splitter.end();
      if (last !== undefined) this.#receive(last);
      this.#fail('ConnectionClosed', 'the sync daemon closed the connection');
    });
    socket.on('error', (error) => {
      this.#fail('ConnectionClosed', `the connection to the sync daemon broke (${error.message})`, error);
    });
    socket.on('close', () => {
      this.#fail('ConnectionClosed', 'the connection to the sync daemon is closed');
    });
  }

  /** Whether requests can be sent. */
  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** Events let go because nobody took them and too many waited. */
  get droppedEvents(): number {
    return this.#events.dropped;
  }

  /**
   * Sends a command and resolves to its result. Requests sent while another one
   * waits are answered in order. Rejects with `ControlClientError`: of origin
   * `daemon` for its errors, of origin `client` with a `ClientFailureClass` else.
   * Rejects with `TypeError`, nothing being sent, when `args` are no JSON.
   */
  async request(cmd: string, args?: ControlArguments, options: ControlRequestOptions = {}): Promise<unknown> {
    if (options.signal?.aborted === true) throw clientError('RequestAborted', `${cmd} was given up`, options.signal.reason);
    if (this.#end !== undefined) throw this.#end.failure ?? closedByUs();
    const id = this.#lastId + 1;
    const message = encodeRequest(cmd, args, id);
    this.#lastId = id;
    const request: SentRequest = { id, settle: undefined };
    this.#sent.push(request);
    const outcome = this.#outcomeOf(request, cmd, options);
    this.#socket.write(message);
    return outcome;
  }

  /**
   * Calls `listener` for every event, first for those that came while nobody
   * listened. While there is a listener, `events()` gets none. The returned
   * function ends it. A listener must not throw.
   */
  onEvent(listener: (event: ControlEvent) => void): () => void {
    return this.#events.listen(listener);
  }

  /**
   * The events as they come. Ends after `close()`; throws `ControlClientError`
   * when the connection ends any other way, after the events that came before.
   */
  async *events(): AsyncGenerator<ControlEvent, void, undefined> {
    for (let event = await this.#events.take(); event !== undefined; event = await this.#events.take()) yield event;
  }

  /** Calls `callback` once at the end of the connection, soon if it is over; with the reason unless `close()` was called. */
  onClose(callback: (failure: ControlClientError | undefined) => void): () => void {
    const registered = (failure: ControlClientError | undefined): void => {
      callback(failure);
    };
    const end = this.#end;
    this.#closeCallbacks.add(registered);
    if (end !== undefined) {
      queueMicrotask(() => {
        if (this.#closeCallbacks.delete(registered)) callback(end.failure);
      });
    }
    return () => {
      this.#closeCallbacks.delete(registered);
    };
  }

  /** Closes the connection at once. Requests still waiting are rejected. May be called again. */
  close(): void {
    this.#finish(undefined);
  }

  #outcomeOf(request: SentRequest, cmd: string, options: ControlRequestOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const giveUp = (failure: ControlClientError): void => {
        request.settle?.(failure);
      };
      const onAbort = (): void => {
        giveUp(clientError('RequestAborted', `${cmd} was given up`, options.signal?.reason));
      };
      const { timeoutMs } = options;
      const cancelTimeout =
        timeoutMs === undefined
          ? undefined
          : this.#schedule(timeoutMs, () => {
              giveUp(clientError('RequestTimeout', `the sync daemon did not answer ${cmd} within ${timeoutMs} ms`));
            });
      options.signal?.addEventListener('abort', onAbort, { once: true });
      request.settle = (outcome) => {
        request.settle = undefined;
        cancelTimeout?.();
        options.signal?.removeEventListener('abort', onAbort);
        if (outcome instanceof ControlClientError) reject(outcome);
        else if (outcome.kind === 'result') resolve(outcome.result);
        else reject(new ControlClientError(outcome.failure.className, outcome.failure.desc, 'daemon'));
      };
    });
  }

  #receive(frame: Frame): void {
    if (this.#end !== undefined) return;
    if (frame.kind === 'too-large') {
      this.#fail('MalformedReply', `the sync daemon sent a message larger than ${frame.limitBytes} bytes`);
      return;
    }
    const message = parseDaemonMessage(frame.bytes);
    if (message.kind === 'event') this.#events.put(message.event);
    else if (message.kind === 'malformed') this.#fail('MalformedReply', `${message.reason}; is something else than the sync daemon listening?`);
    else this.#receiveReply(message);
  }

  #receiveReply(message: DaemonMessage & { kind: 'result' | 'error' }): void {
    // Errors about unreadable requests and about the connection carry no id.
    const isAnonymousError = message.kind === 'error' && message.id === undefined;
    const request = this.#sent[0];
    if (request === undefined && isAnonymousError) {
      this.#refusal = new ControlClientError(message.failure.className, message.failure.desc, 'daemon');
      return;
    }
    if (request === undefined || (message.id !== request.id && !isAnonymousError)) {
      const expected = request === undefined ? 'none was expected' : `expected the reply to request ${request.id}`;
      this.#fail('ResponseMismatch', `the sync daemon answered request ${JSON.stringify(message.id) ?? 'without id'}, ${expected}`);
      return;
    }
    this.#sent.shift();
    request.settle?.(message);
  }

  #fail(failureClass: ClientFailureClass, desc: string, cause?: unknown): void {
    this.#finish(this.#refusal ?? clientError(failureClass, desc, cause));
  }

  #finish(failure: ControlClientError | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { failure };
    this.#socket.destroy();
    for (const request of this.#sent.splice(0)) request.settle?.(failure ?? closedByUs());
    this.#events.end(failure);
    const callbacks = [...this.#closeCallbacks];
    this.#closeCallbacks.clear();
    for (const callback of callbacks) callback(failure);
  }
}

function clientError(failureClass: ClientFailureClass, desc: string, cause?: unknown): ControlClientError {
  return new ControlClientError(failureClass, desc, 'client', cause === undefined ? undefined : { cause });
}

function closedByUs(): ControlClientError {
  return clientError('ConnectionClosed', 'this connection was closed by its owner');
}
