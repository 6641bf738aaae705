/**
 * Mutual exclusion between processes around one file: two `wl` at once must not lose each
 * other's change (W-48 of the reference), and a killed one must leave nothing to clean up by
 * hand (T28).
 *
 * Announce, then look: a process makes a claim file of a name never used before, then lists all
 * claims. Alone, it has the lock; otherwise it takes its claim back and tries again a little
 * later. Of two processes at least one sees the other, so never both go ahead. The usual lock
 * file with a fixed name has no safe way to take over from the dead: between "it is stale" and
 * its removal a third may have made it anew. Here a dead process's claim is removed by anyone at
 * any time, because nobody will ever make that name again.
 *
 * Dead or alive is told by process id and start time, on one machine since one boot; a claim of
 * elsewhere (another container, a shared home directory) counts for a minute.
 */

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { err, type Result } from '@wl/domain';

import { fromSystemError, setupError, systemCode, type SetupError } from './setup-error.js';

/** How to wait for the lock. */
export interface LockOptions {
  /** Milliseconds after which waiting ends with `busy`; 10 s unless told. */
  readonly timeoutMs?: number;
}

/** What is done under a lock takes milliseconds; a claim of an unknown place older than this is a crashed one's. */
const FOREIGN_CLAIM_MS = 60_000;
const MAX_PAUSE_MS = 100;

/** Runs `action` while no other process (and no other caller in this one) holds the lock of `file`; its directory must exist. */
export async function withFileLock<T>(
  file: string,
  action: () => Promise<Result<T, SetupError>>,
  options: LockOptions = {},
): Promise<Result<T, SetupError>> {
  const directory = path.dirname(file);
  const prefix = `.wl-${createHash('sha256').update(path.basename(file)).digest('hex').slice(0, 16)}.lock.`;
  // Not `performance`, for which Node.js loads a module that a command needs for nothing else.
  const deadline = process.uptime() * 1000 + (options.timeoutMs ?? 10_000);
  for (let attempt = 1; ; attempt++) {
    // A name of its own for every attempt: "never used before" is what makes removal by others safe.
    const claim = `${prefix}${place()}.${process.pid}.${startTime(process.pid) ?? '0'}.${randomBytes(6).toString('hex')}`;
    try {
      await writeFile(path.join(directory, claim), '', { flag: 'wx', mode: 0o600 });
    } catch (error) {
      return err(fromSystemError('unwritable', `lock ${file}`, file, error));
    }
    try {
      const rival = await liveRival(directory, prefix, claim);
      if (rival === undefined) return await action();
      if (process.uptime() * 1000 > deadline) {
        return err(setupError('busy', `${file} is being changed by another process (${rival}): try again when that has ended`, file));
      }
    } finally {
      await removeQuietly(path.join(directory, claim));
    }
    await sleep(Math.random() * Math.min(MAX_PAUSE_MS, 5 * 2 ** Math.min(attempt, 6)));
  }
}

/** Who else holds or wants the lock, in words; removes the claims of the dead on the way. */
async function liveRival(directory: string, prefix: string, own: string): Promise<string | undefined> {
  const now = (await stat(path.join(directory, own))).mtimeMs;
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix) || name === own) continue;
    const [where, pid, started] = name.slice(prefix.length).split('.');
    const isHere = where === place();
    const isDead = isHere ? !isAlive(Number(pid), started ?? '0') : await isOlderThan(path.join(directory, name), now - FOREIGN_CLAIM_MS);
    if (!isDead) return isHere ? `process ${pid}` : `process ${pid} on another system`;
    await removeQuietly(path.join(directory, name));
  }
  return undefined;
}

/** Names the range within which process ids can be compared: machine, boot, process id namespace. */
function place(): string {
  const boot = quietly(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = quietly(() => readlinkSync('/proc/self/ns/pid'));
  return createHash('sha256').update(JSON.stringify([hostname(), boot, namespace])).digest('hex').slice(0, 12);
}

function isAlive(pid: number, started: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
  }
  // The id may have been given to a new process since.
  const now = startTime(pid);
  return started === '0' || now === undefined || now === started;
}

/** When a process started, in the kernel's ticks since boot; `undefined` where the system does not tell. */
function startTime(pid: number): string | undefined {
  const text = quietly(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The second field, the program's name in brackets, may hold anything: count from its end. Start time is field 22.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

async function isOlderThan(file: string, timeMs: number): Promise<boolean> {
  try {
    return (await stat(file)).mtimeMs < timeMs;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    throw error;
  }
}

async function removeQuietly(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function quietly(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
