/**
 * One run of the system's rsync: brings the files of a list from a directory to another. No shell
 * is involved, names go through standard input and end in a zero byte, each with `./` before it, so
 * that no name is taken for an option, a comment or another host's. Nothing in the environment or
 * in a home directory changes what it does.
 */

import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** What is to be brought. */
export interface RsyncCall {
  /** Absolute path of the program. */
  readonly program: string;
  /** Absolute paths of existing directories. */
  readonly from: string;
  readonly to: string;
  /** Relative to both. */
  readonly paths: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** How a run ended. `failed`: nothing can be said of single files; what was brought is whole. */
export type RsyncEnd =
  | { readonly kind: 'done' }
  /** `code`: of rsync(1), `undefined` where it was ended from outside. `words`: the end of what it said, on one line. */
  | { readonly kind: 'failed'; readonly code: number | undefined; readonly words: string }
  | { readonly kind: 'stopped' };

/** Runs it. Rejects only where the program cannot be started. */
export type RunRsync = (call: RsyncCall) => Promise<RsyncEnd>;

const OPTIONS = [
  // Times and permissions go along; links, devices and owners do not.
  '--times',
  '--perms',
  '--no-links',
  '--files-from=-',
  '--from0',
  // Directories on the way are ours: made with usual permissions, not with those of the source.
  '--no-implied-dirs',
  '--no-motd',
  '--quiet',
];

/** No more of what it says is kept, in characters. */
const MOST_WORDS = 400;

/** The system's rsync. */
export const runRsync: RunRsync = ({ program, from, to, paths, signal }) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) return resolve({ kind: 'stopped' });
    const child = spawn(program, [...OPTIONS, `${from}/`, `${to}/`], {
      cwd: '/',
      // HOME: popt reads aliases from there.
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', HOME: '/nonexistent' },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const stop = (): void => void child.kill('SIGTERM');
    signal?.addEventListener('abort', stop, { once: true });
    let words = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => (words = (words + text).slice(-MOST_WORDS)));
    // It may end before it has read all names; how it ended says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(paths.map((one) => `./${one}\0`).join(''));
    child.on('error', (error) => {
      signal?.removeEventListener('abort', stop);
      reject(error);
    });
    child.on('close', (code) => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted === true) resolve({ kind: 'stopped' });
      else if (code === 0) resolve({ kind: 'done' });
      else resolve({ kind: 'failed', code: code ?? undefined, words: onOneLine(words) });
    });
  });

function onOneLine(text: string): string {
  return text.trim().replaceAll(/\s*[\u0000-\u001f\u007f]+\s*/g, '; ');
}

/** The absolute path of an executable program, looked for as a shell would; `undefined` where there is none. */
export function findProgram(name: string, searchPath: string | undefined): string | undefined {
  return (searchPath ?? '/usr/local/bin:/usr/bin:/bin')
    .split(':')
    .filter((directory) => path.isAbsolute(directory))
    .map((directory) => path.join(directory, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
