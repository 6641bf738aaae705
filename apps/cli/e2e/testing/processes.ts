/** Processes of a test, found by a variable that each of them inherited. */

import { readdirSync, readFileSync } from 'node:fs';

/** Ids of the running processes that have `text` in their environment (Linux; elsewhere none are found). */
export function processesWith(text: string): number[] {
  return directoryNames('/proc')
    .filter((name) => /^\d+$/.test(name) && fileText(`/proc/${name}/environ`).includes(text))
    .map(Number)
    .filter((pid) => pid !== process.pid && isRunning(pid));
}

/** Whether a process has not ended yet; one that only waits to be reaped has. */
export function isRunning(pid: number): boolean {
  if (process.platform === 'linux') {
    // The main thread may have ended while others still hold the files and sockets open.
    return directoryNames(`/proc/${pid}/task`).some((thread) => /^\d+ \(.*\) [^ZX]/s.test(fileText(`/proc/${pid}/task/${thread}/stat`)));
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Its session: processes that a terminal takes with it are in the terminal's. */
export function sessionOf(pid: number): number {
  const stat = fileText(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}

/** What its open descriptors are. */
export function openFilesOf(pid: number, link: (path: string) => string): string[] {
  return directoryNames(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`));
}

function directoryNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function fileText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
