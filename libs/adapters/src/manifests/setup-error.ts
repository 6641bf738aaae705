/**
 * Failures around the user's own set-up: configuration, keys, manifests. They are planned
 * answers, so they travel as values; `message` is written for the person at the terminal and
 * says what happened and what to do. It never holds a secret or a line of a manifest's text.
 */

/** What went wrong; append-only. */
export type SetupErrorCode =
  /** No file under that name. */
  | 'not-found'
  | 'unreadable'
  | 'unwritable'
  /** Another process holds the lock for too long. */
  | 'busy'
  | 'too-large'
  /** The text is not the YAML that is accepted here. */
  | 'bad-yaml'
  | 'unknown-key'
  /** The YAML is fine, what it says is not. */
  | 'invalid'
  /** The file is no manifest: separator or header are missing or broken. */
  | 'bad-envelope'
  | 'unsigned'
  | 'unknown-signer'
  | 'wrong-signature'
  /** Rightly signed, by somebody who may not speak for the owner. */
  | 'wrong-signer'
  | 'encrypted'
  | 'bad-key'
  | 'no-secret-key'
  | 'bad-name'
  | 'bad-backend-id'
  | 'duplicate-backend-id'
  | 'unsupported-url'
  | 'unsupported-storage'
  | 'socket-path-too-long';

/** One such failure. */
export interface SetupError {
  readonly code: SetupErrorCode;
  readonly message: string;
  /** The file it is about. */
  readonly file?: string;
}

/** Makes a `SetupError`. */
export function setupError(code: SetupErrorCode, message: string, file?: string): SetupError {
  return file === undefined ? { code, message } : { code, message, file };
}

/** Turns a failed system call into a `SetupError`; `action` reads like `read /home/ann/config.yaml`. */
export function fromSystemError(code: 'unreadable' | 'unwritable', action: string, file: string, error: unknown): SetupError {
  return setupError(code, `unable to ${action}: ${systemReason(error)}`, file);
}

/** The `code` of a failed system call, e.g. `ENOENT`; `undefined` for anything else. */
export function systemCode(error: unknown): string | undefined {
  // By shape: `instanceof Error` does not hold between realms.
  const isCoded = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string';
  return isCoded ? (error.code as string) : undefined;
}

/** Node's messages repeat the call and the path; only the middle is for people. */
function systemReason(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  const text = /^[A-Z0-9_]+: ([^,]+),/.exec(message)?.[1];
  return text === undefined ? message : `${text} (${systemCode(error) ?? 'error'})`;
}
