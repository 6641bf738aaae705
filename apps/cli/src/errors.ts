/**
 * Failures of commands as people see them: one line `Error: …` that says what happened and what
 * to do, and the exit code. Stack traces only where the user asked for them (`--debug`).
 */

import type { SetupError } from '@wl/adapters/manifests';
import { ControlClientError } from '@wl/adapters/socket';
import type { Result } from '@wl/domain';

import { EXIT, type ExitCode } from './exit-codes.js';

/** A command cannot do what it was asked; planned, so without a stack trace. */
export class CommandFailure extends Error {
  override readonly name: string = 'CommandFailure';
  /** A line of its own behind the error: what may help. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT.failed,
    options?: { readonly cause?: unknown; readonly hint?: string | undefined },
  ) {
    super(message, options);
    this.hint = options?.hint;
  }
}

/** The command line itself is wrong: nothing was tried. */
export class UsageError extends CommandFailure {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super(message, EXIT.usage);
  }
}

/** The value of a result; its error becomes a `CommandFailure`. */
export function orFail<T>(result: Result<T, Pick<SetupError, 'message'>>): T {
  if (!result.ok) throw new CommandFailure(result.error.message);
  return result.value;
}

/** What is printed behind `Error: ` for anything thrown, and the exit code. */
export function describeFailure(error: unknown): { readonly text: string; readonly exitCode: ExitCode } {
  if (error instanceof CommandFailure) return { text: error.message, exitCode: error.exitCode };
  if (error instanceof ControlClientError) return { text: describeDaemonFailure(error), exitCode: EXIT.failed };
  const message = error instanceof Error ? error.message : String(error);
  return { text: `${message} (run the command again with --debug to see where)`, exitCode: EXIT.failed };
}

/** Errors of the daemon read `<class>: <desc>`, as in the original; our own end says what to do. */
function describeDaemonFailure(error: ControlClientError): string {
  if (error.origin === 'daemon') return error.message;
  switch (error.className) {
    case 'ConnectionClosed':
      return 'the sync daemon ended before it answered: run the command again; it starts a new one';
    case 'RequestTimeout':
      return `${error.desc}: see its log, or end it with: wl stop`;
    case 'ControlClientUnableToConnectError':
      return error.desc;
    default:
      return `${error.message}. If the daemon is of another version, end it with: wl stop`;
  }
}
