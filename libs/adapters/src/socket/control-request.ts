/**
 * Requests of the control protocol: `{"cmd": <string>, "args": {..}, "id": <any>}`.
 * This is the one door through which bytes of a client become typed values; it
 * checks the shape of the envelope and leaves the arguments to each command's
 * validator.
 */

import { decodeJson } from './json-text.js';

/** Arguments of a command, names with dashes. */
export type ControlArguments = Readonly<Record<string, unknown>>;

/** A request whose envelope is sound. */
export interface ControlRequest {
  readonly cmd: string;
  readonly args: ControlArguments;
  /** The id exactly as the client wrote it (a JSON text), or `undefined` when the reply carries none. */
  readonly idText: string | undefined;
}

/** A request, or the reason why the bytes are none. */
export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: ControlRequest }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Reads one framed document. The reason of a malformed one quotes nothing of it: it may hold credentials. */
export function parseRequest(bytes: Uint8Array): ParsedRequest {
  const decoded = decodeJson(bytes);
  if (decoded.kind === 'malformed') return malformed(`the request is not ${decoded.expected}`);
  if (!isRecord(decoded.value)) return malformed('the request is not a JSON object');
  const { cmd, args, id } = decoded.value;
  if (typeof cmd !== 'string') return malformed('the request has no "cmd", or one that is not a string');
  if (args !== undefined && args !== null && !isRecord(args)) return malformed('"args" is not a JSON object');
  return {
    kind: 'request',
    request: { cmd, args: withDashes(args ?? {}), idText: isEchoed(id) ? lastMember(decoded.text, 'id') : undefined },
  };
}

/** The message for a request, with the separator. Throws `TypeError` when `args` cannot be written as JSON. */
export function encodeRequest(cmd: string, args: ControlArguments | undefined, id: number): string {
  return `${JSON.stringify({ cmd, args, id })}\n\n`;
}

function malformed(reason: string): ParsedRequest {
  return { kind: 'malformed', reason };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `job_id` and `job-id` name the same argument; of two spellings in one request the later wins. */
function withDashes(args: Record<string, unknown>): ControlArguments {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name.replaceAll('_', '-'), value]));
}

/**
 * The original copies an id only if Python holds it for true, so besides 0, ""
 * and false also [] and {} are left out.
 */
function isEchoed(id: unknown): boolean {
  if (typeof id === 'object' && id !== null) return Object.keys(id).length > 0;
  return Boolean(id);
}

/**
 * The text of a member's value in `json`, a valid JSON object; of repeated names
 * the last one, as `JSON.parse` has it. Parsing and writing an id again would
 * change it (12345678901234567890 is no JavaScript number), and a client
 * compares what comes back with what it sent.
 */
function lastMember(json: string, name: string): string | undefined {
  let found: string | undefined;
  let depth = 0;
  let key = '';
  let valueStart: number | undefined;
  const closeMember = (end: number): void => {
    if (valueStart !== undefined && JSON.parse(key) === name) found = json.slice(valueStart, end).trim();
    valueStart = undefined;
  };
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (char === '"') {
      const end = endOfString(json, at);
      if (depth === 1 && valueStart === undefined) key = json.slice(at, end);
      at = end - 1;
    } else if (char === '{' || char === '[') {
      depth += 1;
    } else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth === 0) closeMember(at);
    } else if (depth === 1 && char === ':') {
      valueStart = at + 1;
    } else if (depth === 1 && char === ',') {
      closeMember(at);
    }
  }
  return found;
}

/** Index behind the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}
