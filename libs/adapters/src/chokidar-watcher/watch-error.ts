/** Says what the errors of watching mean and what a user can do about them (T62). */

import { BackendError, type BackendErrorCode } from '@wl/ports';

/** One or two sentences for the user about an error met while watching `location`. */
export function explainWatchError(code: string, location: string): string {
  switch (code) {
    case 'ENOSPC':
      return (
        `the system's limit of inotify watches is reached: changes in some directories of ${location} are found late, by full passes. ` +
        'Raise it with `sudo sysctl fs.inotify.max_user_watches=1048576` and keep it in /etc/sysctl.d/, then start the job again.'
      );
    case 'EMFILE':
    case 'ENFILE':
      return (
        `too many files or inotify instances are open: changes in some directories of ${location} are found late, by full passes. ` +
        'Raise the limit with `sudo sysctl fs.inotify.max_user_instances=1024` or `ulimit -n`, then start the job again.'
      );
    default:
      return `some directories of ${location} cannot be watched (${code}): changes there are found late, by full passes.`;
  }
}

/** The error with which `start` rejects. */
export function toWatchError(error: unknown, location: string): BackendError {
  const code = codeOf(error);
  const codes: Readonly<Record<string, BackendErrorCode>> = {
    ENOENT: 'not-found',
    ENOTDIR: 'not-a-directory',
    EACCES: 'permission-denied',
    EPERM: 'permission-denied',
    EMFILE: 'too-many-open-files',
    ENFILE: 'too-many-open-files',
    ENOSPC: 'unsupported',
  };
  const translated = codes[code] ?? 'io-error';
  const explanation = translated === 'not-found' ? 'no such directory' : explainWatchError(code, location);
  return new BackendError(translated, { operation: 'watch', path: location, retryable: false }, { cause: error, explanation });
}

/** The system's code of an error (`ENOSPC`), or its message. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
