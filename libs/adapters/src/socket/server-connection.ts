/**
 * One client of the control server: reads its requests, answers them strictly
 * one after another, sends it events.
 *
 * What is held for a client is bounded at every point: requests by the splitter
 * and by not reading on while one is being answered, events by
 * `maxQueuedEventBytes`, replies by being one at a time and by time.
 */

import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { ControlCommand, ControlConnection, ControlLog } from './control-command.js';
import { encodeEvent, type ControlEvent } from './control-event.js';
import { encodeError } from './control-reply.js';
import { LARGE_REQUEST_BYTES, type ControlLimits } from './limits.js';
import { MessageSplitter, type Frame } from './message-splitter.js';
import { handleRequest } from './request-handler.js';
import type { Schedule } from './schedule.js';

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly commands: ReadonlyMap<string, ControlCommand>;
  readonly limits: ControlLimits;
  readonly log: ControlLog;
  readonly schedule: Schedule;
  /** Resolves once for each turn of the event loop, to one caller after another. */
  readonly takeTurn: () => Promise<void>;
}

/** Serves `socket`, which must be half-open capable, from construction until it closes. */
export class ServerConnection implements ControlConnection {
  readonly #splitter: MessageSplitter;
  readonly #waiting: Frame[] = [];
  readonly #closeCallbacks = new Set<() => void>();
  #queuedEventBytes = 0;
  #isAnswering = false;
  #isEnding = false;
  /** How many want to know at once when the client is gone. */
  #impatient = 0;
  #cancelDeadline: (() => void) | undefined;

  constructor(
    readonly id: number,
    private readonly socket: Socket,
    private readonly context: ConnectionContext,
  ) {
    this.#splitter = new MessageSplitter(context.limits.maxRequestBytes);
    this.#startDeadline();
    socket.on('data', (chunk) => {
      this.#receive(chunk);
    });
    socket.on('end', () => {
      this.#receiveEnd();
    });
    socket.on('error', (error) => {
      context.log('debug', 'connection failed', { connection: id, error });
    });
    socket.on('close', () => {
      this.#finishClosed();
    });
  }

  get isOpen(): boolean {
    return !this.#isEnding && this.socket.writable;
  }

  sendEvent(event: ControlEvent): boolean {
    if (!this.isOpen) return false;
    const message = Buffer.from(encodeEvent(event));
    if (this.#queuedEventBytes + message.length > this.context.limits.maxQueuedEventBytes) {
      this.context.log('warn', 'client reads its events too slowly; disconnected', { connection: this.id, queuedBytes: this.#queuedEventBytes });
      this.socket.destroy();
      return false;
    }
    this.#queuedEventBytes += message.length;
    this.socket.write(message, () => {
      this.#queuedEventBytes -= message.length;
    });
    return true;
  }

  onClose(callback: () => void): () => void {
    // An own function each time: the same callback may be registered twice.
    const registered = (): void => {
      callback();
    };
    this.#closeCallbacks.add(registered);
    if (this.socket.closed) {
      queueMicrotask(() => {
        this.#runCallback(registered);
      });
    }
    return () => {
      this.#closeCallbacks.delete(registered);
    };
  }

  onGone(callback: () => void): () => void {
    const release = this.onClose(callback);
    this.#impatient += 1;
    if (this.socket.readableEnded) this.#probe();
    return () => {
      this.#impatient -= 1;
      release();
    };
  }

  /** Closes the connection once what was sent has left; a reader too slow for that is cut off after `lingerMs`. */
  close(): void {
    if (!this.#isEnding) closeAfterFlush(this.socket, this.context);
    this.#isEnding = true;
  }

  #receive(chunk: Uint8Array): void {
    if (this.#isEnding) return;
    for (const frame of this.#splitter.push(chunk)) this.#waiting.push(frame);
    // While a request is being answered one chunk may come in, to notice a client
    // that hangs up; with more to do than that the rest stays in the kernel.
    if (this.#isAnswering) this.socket.pause();
    else void this.#answerWaiting();
  }

  #receiveEnd(): void {
    if (this.#isEnding) return;
    const last = this.#splitter.end();
    if (last !== undefined) this.#waiting.push(last);
    if (!this.#isAnswering) void this.#answerWaiting();
    else if (this.#impatient > 0) this.#probe();
  }

  /** Finds out whether a client that sends no more still reads: if not, writing fails and the connection closes. */
  #probe(): void {
    if (this.isOpen) this.socket.write(' ');
  }

  /** Answers what is waiting, in order; afterwards reads on, or ends when the client has. Never rejects. */
  async #answerWaiting(): Promise<void> {
    this.#isAnswering = true;
    for (let frame = this.#waiting.shift(); frame !== undefined && this.isOpen; frame = this.#waiting.shift()) {
      this.#stopDeadline();
      if (frame.kind === 'too-large') {
        this.#refuse(`the request is larger than ${frame.limitBytes} bytes`);
        break;
      }
      if (frame.bytes.length >= LARGE_REQUEST_BYTES) await this.context.takeTurn();
      const handled = await handleRequest(frame.bytes, this.context.commands, this, this.context.log);
      if (handled.kind === 'close') this.close();
      else await this.#sendReply(handled.text);
      // A client that pipelines without pause must not keep the others waiting.
      if (this.#waiting.length > 0) await nextTurn();
    }
    this.#isAnswering = false;
    if (!this.isOpen) return;
    if (this.socket.readableEnded) {
      this.close();
      return;
    }
    if (this.#splitter.pendingBytes > 0) this.#startDeadline();
    this.socket.resume();
  }

  /** Resolves when the system has taken the reply, or the connection is gone. */
  async #sendReply(text: string): Promise<void> {
    if (!this.isOpen) return;
    const cancel = this.context.schedule(this.context.limits.replyTimeoutMs, () => {
      this.context.log('warn', 'client does not read its reply; disconnected', { connection: this.id });
      this.socket.destroy();
    });
    await new Promise<void>((resolve) => {
      this.socket.write(text, () => {
        resolve();
      });
    });
    cancel();
  }

  #startDeadline(): void {
    if (this.#cancelDeadline !== undefined) return;
    this.#cancelDeadline = this.context.schedule(this.context.limits.requestTimeoutMs, () => {
      this.#refuse(`no complete request within ${this.context.limits.requestTimeoutMs} ms`);
    });
  }

  #stopDeadline(): void {
    this.#cancelDeadline?.();
    this.#cancelDeadline = undefined;
  }

  /** Ends the connection with an error that belongs to no complete request. */
  #refuse(reason: string): void {
    if (!this.isOpen) return;
    this.context.log('info', 'client refused', { connection: this.id, reason });
    this.#isEnding = true;
    refuse(this.socket, reason, this.context);
  }

  #finishClosed(): void {
    this.#stopDeadline();
    this.#waiting.length = 0;
    for (const callback of this.#closeCallbacks) this.#runCallback(callback);
  }

  #runCallback(callback: () => void): void {
    if (!this.#closeCallbacks.delete(callback)) return;
    try {
      callback();
    } catch (error) {
      this.context.log('error', 'a close callback failed', { connection: this.id, error });
    }
  }
}

/**
 * Says `reason` and ends. What the client still sends is read and thrown away
 * until it ends too or `lingerMs` have passed: closing a socket with unread
 * bytes resets it, and the client would never see the reason.
 */
export function refuse(socket: Socket, reason: string, context: Pick<ConnectionContext, 'limits' | 'schedule'>): void {
  const cancel = context.schedule(context.limits.lingerMs, () => socket.destroy());
  socket.once('close', cancel);
  socket.end(encodeError({ className: 'ControlRequestError', desc: reason }, undefined));
  socket.resume();
}

function closeAfterFlush(socket: Socket, context: Pick<ConnectionContext, 'limits' | 'schedule'>): void {
  const cancel = context.schedule(context.limits.lingerMs, () => socket.destroy());
  socket.once('close', cancel);
  socket.end(() => socket.destroy());
}
