/**
 * From one framed request to the text of its reply. Knows no socket: whatever a
 * command does, the outcome is a reply or the wish to close, never an exception.
 */

import { NO_REPLY_CLOSE, type ControlCommand, type ControlConnection, type ControlLog } from './control-command.js';
import { encodeError, encodeResult, type ControlFailure } from './control-reply.js';
import { parseRequest } from './control-request.js';

/** The reply to send, or that the connection is to be closed without one. */
export type HandledRequest = { readonly kind: 'reply'; readonly text: string } | { readonly kind: 'close' };

const MAX_LOGGED_CHARACTERS = 100;

/** Answers the request in `bytes` with one of `commands`. Never rejects. */
export async function handleRequest(
  bytes: Uint8Array,
  commands: ReadonlyMap<string, ControlCommand>,
  connection: ControlConnection,
  log: ControlLog,
): Promise<HandledRequest> {
  const parsed = parseRequest(bytes);
  if (parsed.kind === 'malformed') {
    log('debug', 'malformed request', { connection: connection.id, reason: parsed.reason });
    return errorReply({ className: 'ControlRequestError', desc: parsed.reason }, undefined);
  }
  const { cmd, args, idText } = parsed.request;
  const loggedCmd = cmd.slice(0, MAX_LOGGED_CHARACTERS);
  const command = commands.get(cmd);
  if (command === undefined) {
    log('debug', 'unknown command', { connection: connection.id, cmd: loggedCmd });
    return errorReply({ className: 'AssertionError', desc: `unknown command: ${cmd}` }, idText);
  }
  try {
    const reason = command.validate(args);
    if (reason !== undefined) return errorReply({ className: 'SchemaError', desc: reason }, idText);
    const result = await command.run(args, connection);
    if (result === NO_REPLY_CLOSE) return { kind: 'close' };
    return { kind: 'reply', text: encodeResult(result, idText) };
  } catch (error) {
    const failure = toFailure(error);
    log(isPlanned(error) ? 'info' : 'error', 'command failed', { connection: connection.id, cmd: loggedCmd, class: failure.className, error });
    return errorReply(failure, idText);
  }
}

function errorReply(failure: ControlFailure, idText: string | undefined): HandledRequest {
  return { kind: 'reply', text: encodeError(failure, idText) };
}

/** Class and text of anything thrown; its stack stays here. (`instanceof` would miss errors of another realm.) */
function toFailure(error: unknown): ControlFailure {
  const { className, name, message } = (error ?? {}) as Readonly<Record<string, unknown>>;
  return {
    className: firstText(className, name) ?? 'InternalError',
    desc: firstText(message) ?? 'the command failed without saying why; see the log of the daemon',
  };
}

function firstText(...candidates: unknown[]): string | undefined {
  return candidates.find((candidate) => typeof candidate === 'string' && candidate !== '') as string | undefined;
}

/** Failures that name their class are answers the application planned; anything else is a defect to look at. */
function isPlanned(error: unknown): boolean {
  return typeof (error as { className?: unknown } | null | undefined)?.className === 'string';
}
