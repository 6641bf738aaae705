/**
 * Names of staging directories, and whether the process that made one is gone. The name
 * says machine, boot, process namespace, process and its start, so that no lock has to be
 * held open (it would keep a disk from being unmounted) and a process number that was given
 * again is not mistaken for its first owner.
 */

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';

import { errnoOf } from './failure.js';

/** For how long a machine has been running. */
export interface Uptime {
  /** Milliseconds, sleep included. No step of the clock changes it. */
  readonly uptimeMs: number;
  /** Which start of which machine; `''` where that cannot be told. */
  readonly boot: string;
}

/** Where a process runs and which one it is. */
interface ProcessIdentity {
  readonly machine: string;
  readonly boot: string;
  readonly namespace: string;
  readonly pid: number;
  readonly start: string;
}

const PATTERN = /^([0-9a-f]{8})\.([0-9a-f]{8})\.([0-9a-f]{8})\.(\d+)\.(\d+)\.[0-9a-f]{8}$/;

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** A staging directory whose owner cannot be asked (another machine, another container) is left alone for so long. */
const UNKNOWN_OWNER_MS = 24 * 60 * 60 * 1000;

/** A name for this process's staging directory; different at each call. */
export function createInstanceName(): string {
  const { machine, boot, namespace, pid, start } = thisProcess();
  return `${machine}.${boot}.${namespace}.${String(pid)}.${start}.${randomBytes(4).toString('hex')}`;
}

/**
 * Whether the staging directory `name`, last changed at `changedMs`, was left behind by a
 * process that runs no more. What is not named by us never is.
 */
export function isAbandoned(name: string, changedMs: number, nowMs: number): boolean {
  const match = PATTERN.exec(name);
  if (match === null) return false;
  const [, machine, boot, namespace, pid, start] = match;
  const here = thisProcess();
  if (machine === here.machine && boot !== here.boot) return true;
  if (machine === here.machine && namespace === here.namespace) return startOf(Number(pid)) !== start;
  return nowMs - changedMs > UNKNOWN_OWNER_MS;
}

/** For how long this machine has been running. */
export function systemUptime(): Uptime {
  const boot = readText(BOOT_ID);
  return { uptimeMs: uptime() * 1000, boot: boot === undefined ? '' : digest(boot) };
}

function thisProcess(): ProcessIdentity {
  return {
    machine: digest(readText('/etc/machine-id') ?? hostname()),
    boot: digest(readText(BOOT_ID) ?? ''),
    namespace: digest(readNamespace() ?? ''),
    pid: process.pid,
    start: startOf(process.pid) ?? '0',
  };
}

/** When a process was started, in ticks since boot; `undefined` when none of that number runs. */
function startOf(pid: number): string | undefined {
  const status = readText(`/proc/${String(pid)}/stat`);
  // The second field is the program's name in parentheses and may hold anything.
  const fields = status?.slice(status.lastIndexOf(')') + 2).split(' ');
  // One that has ended stays listed until its parent has asked how, which some take their time for.
  if (fields?.[0] === 'Z' || fields?.[0] === 'X') return undefined;
  const start = fields?.[19];
  if (start !== undefined) return start;
  if (readText('/proc/self/stat') !== undefined) return undefined;
  // No /proc: the number alone has to do.
  try {
    process.kill(pid, 0);
    return '0';
  } catch (error) {
    return errnoOf(error) === 'EPERM' ? '0' : undefined;
  }
}

function readNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(`wl ${text}`).digest('hex').slice(0, 8);
}
