/**
 * Replies of the control protocol, byte for byte those of the original: JSON
 * indented by two spaces, an empty line behind it, `id` last and only when the
 * request had one. The client's reader of replies and events stands here too.
 */

import { decodeEvent, type ControlEvent } from './control-event.js';
import { decodeJson } from './json-text.js';

/** What a daemon says went wrong: the name of an error class and a text for people. */
export interface ControlFailure {
  readonly className: string;
  readonly desc: string;
}

/** One message of the daemon as a client sees it. `id` is `undefined` when the message has none. */
export type DaemonMessage =
  | { readonly kind: 'event'; readonly event: ControlEvent }
  | { readonly kind: 'result'; readonly result: unknown; readonly id: unknown }
  | { readonly kind: 'error'; readonly failure: ControlFailure; readonly id: unknown }
  | { readonly kind: 'malformed'; readonly reason: string };

/**
 * The message for a result; `undefined` is sent as null. Throws when the value
 * cannot be written as JSON (`TypeError` for cycles and bigint, `RangeError` for
 * endless nesting): that is the command's defect.
 */
export function encodeResult(result: unknown, idText: string | undefined): string {
  return encodeReply({ result: result ?? null }, idText);
}

/** The message for a failed request. */
export function encodeError(failure: ControlFailure, idText: string | undefined): string {
  return encodeReply({ error: { class: failure.className, desc: failure.desc } }, idText);
}

/** Reads one framed document of the daemon. */
export function parseDaemonMessage(bytes: Uint8Array): DaemonMessage {
  const decoded = decodeJson(bytes);
  if (decoded.kind === 'malformed') return { kind: 'malformed', reason: `a message is not ${decoded.expected}` };
  if (typeof decoded.value !== 'object' || decoded.value === null) return { kind: 'malformed', reason: 'a message is not a JSON object' };
  const message = decoded.value as Record<string, unknown>;
  if (typeof message['event'] === 'string') return { kind: 'event', event: decodeEvent(message['event']) };
  if ('error' in message) {
    const error = (message['error'] ?? {}) as Record<string, unknown>;
    return { kind: 'error', failure: { className: toText(error['class']), desc: toText(error['desc']) }, id: message['id'] };
  }
  if ('result' in message) return { kind: 'result', result: message['result'], id: message['id'] };
  return { kind: 'malformed', reason: 'a message is neither reply nor event' };
}

function encodeReply(body: object, idText: string | undefined): string {
  const text = JSON.stringify(body, null, 2);
  const withId = idText === undefined ? text : `${text.slice(0, -'\n}'.length)},\n  "id": ${idText}\n}`;
  return `${withId}\n\n`;
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown';
}
