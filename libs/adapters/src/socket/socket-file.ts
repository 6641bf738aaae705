/**
 * The name of the control socket in the file system: made, taken over, removed.
 *
 * - Never readable by others, not even for an instant: the socket is bound in a
 *   fresh directory of mode 0700, gets mode 0600 there, and only then its public
 *   name. (chmod after a public bind leaves a gap, W-32; the umask would work but
 *   belongs to the whole process, other threads create files under it too.)
 * - Two daemons never share a name: it is given with `link`, which fails when the
 *   name exists, and by a socket that listens already.
 * - A name is taken over only from a socket that nobody answers on, which stays
 *   dead for ever: its one listener is gone. Whoever takes it over first makes a
 *   directory named after that very inode, so of many daemons starting at once
 *   one replaces it, and none replaces the replacement. (Moving the stale file
 *   away without such a claim let two of five win in every second try.)
 *   Anything but a socket is left alone.
 */

import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { chmod, link, lstat, mkdir, mkdtemp, readdir, rename, rm, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';

import type { Schedule } from './schedule.js';
import { assertSocketPath, connectToSocket, withBindAddress } from './socket-path.js';

/** Why a server cannot have its socket path. */
export type SocketClaimCode =
  /** Another process answers there. */
  | 'in-use'
  /** The name belongs to something that is no socket. */
  | 'not-a-socket'
  /** Whether somebody answers there could not be found out. */
  | 'unknown-owner'
  /** The system refused: directory not writable, path unusable, … */
  | 'unable-to-listen';

/** A server could not be put at its path; nothing was changed there. */
export class SocketClaimError extends Error {
  override readonly name = 'SocketClaimError';

  constructor(
    readonly code: SocketClaimCode,
    readonly path: string,
    explanation: string,
    options?: { cause: unknown },
  ) {
    super(`unable to listen on ${path}: ${explanation}`, options);
  }
}

/** A socket file we made, recognised by its inode. */
export interface OwnedSocketFile {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

const PRIVATE_PREFIX = '.wl-socket-';
const LEFTOVER_AGE_MS = 10 * 60_000;
/** How often, and how many times, to look again while another daemon holds the claim to a stale socket. */
const CLAIM_POLL_MS = 10;
const CLAIM_PATIENCE = 200;

/**
 * Makes `server` listen at `path`. The parent directory is created with mode
 * 0700 if it is missing. Rejects with `SocketClaimError`; the server is then closed.
 */
export async function claimSocketFile(server: Server, path: string, schedule: Schedule): Promise<OwnedSocketFile> {
  let privateDirectory: string | undefined;
  try {
    assertSocketPath(path);
    const parent = dirname(path);
    await mkdir(parent, { recursive: true, mode: 0o700 });
    await removeLeftovers(parent);
    privateDirectory = await mkdtemp(join(parent, PRIVATE_PREFIX));
    // A name nobody else uses: on closing, the listener removes the file it was bound to by its
    // address, and a descriptor number in that address may mean another directory by then.
    const draft = join(privateDirectory, randomUUID().slice(0, 8));
    await withBindAddress(draft, (address) => listen(server, address));
    await chmod(draft, 0o600);
    const { dev: device, ino: inode } = await lstat(draft, { bigint: true });
    await publish(draft, path, schedule);
    return { path, device, inode };
  } catch (error) {
    server.close();
    if (error instanceof SocketClaimError) throw error;
    throw new SocketClaimError('unable-to-listen', path, messageOf(error), { cause: error });
  } finally {
    if (privateDirectory !== undefined) await rm(privateDirectory, { recursive: true, force: true });
  }
}

/**
 * Removes the socket file if the name still leads to ours. To be called while
 * the server listens: as long as we answer, no other daemon takes the name, so
 * it cannot change hands between the look and the removal.
 */
export async function releaseSocketFile(file: OwnedSocketFile): Promise<void> {
  try {
    const { dev, ino } = await lstat(file.path, { bigint: true });
    if (dev === file.device && ino === file.inode) await unlink(file.path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Gives the listening socket `draft` its public name. */
async function publish(draft: string, path: string, schedule: Schedule): Promise<void> {
  for (let polls = 0; polls < 2 * CLAIM_PATIENCE; polls += 1) {
    if (await linkIfAbsent(draft, path)) return;
    const holder = await probe(path);
    if (holder === undefined) continue;
    const claim = join(dirname(path), `${PRIVATE_PREFIX}${holder.ino}-${holder.mtimeNs}`);
    // A claim is held for the time of a few system calls. One that lasts is a killed daemon's.
    if (polls === CLAIM_PATIENCE) await rm(claim, { recursive: true, force: true });
    if (await replaceStale(draft, path, holder, claim)) return;
    await new Promise<void>((resolve) => {
      schedule(CLAIM_POLL_MS, resolve);
    });
  }
  throw new SocketClaimError('unknown-owner', path, 'other daemons keep taking the name over; stop them and try again');
}

async function linkIfAbsent(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Puts `draft` in place of the dead socket `stale`; `false` when another daemon has the claim to it, or has done it. */
async function replaceStale(draft: string, path: string, stale: BigIntStats, claim: string): Promise<boolean> {
  try {
    await mkdir(claim);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    const now = await probe(path);
    if (now?.ino !== stale.ino || now.mtimeNs !== stale.mtimeNs) return false;
    await rename(draft, path);
    return true;
  } finally {
    await rm(claim, { recursive: true, force: true });
  }
}

/** The socket at `path` if nobody answers on it, `undefined` if there is nothing. Everything else is a `SocketClaimError`. */
async function probe(path: string): Promise<BigIntStats | undefined> {
  try {
    const stat = await lstat(path, { bigint: true });
    if (!stat.isSocket()) {
      throw new SocketClaimError('not-a-socket', path, 'a file that is no socket has this name; remove it or choose another socket path');
    }
    const refusal = await connectToSocket(path).then(
      (socket) => socket.destroy(),
      (error: unknown) => error,
    );
    const code = codeOf(refusal);
    if (code === 'ECONNREFUSED') return stat;
    if (code === 'ENOENT') return undefined;
    // A full queue of waiting connections: somebody listens, if slowly.
    if (code === undefined || code === 'EAGAIN') {
      throw new SocketClaimError('in-use', path, 'another sync daemon answers there; stop it first or choose another socket path');
    }
    throw new SocketClaimError('unknown-owner', path, `could not find out who owns it (${messageOf(refusal)})`, { cause: refusal });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: address }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A daemon killed in the middle of `claimSocketFile` leaves its private directory; nobody else would remove it. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PRIVATE_PREFIX)) continue;
    const leftover = join(parent, name);
    const stat = await lstat(leftover).catch(() => undefined);
    const isOld = stat !== undefined && Date.now() - stat.mtimeMs > LEFTOVER_AGE_MS;
    // Failing to tidy up is no reason not to start.
    if (isOld && stat.isDirectory()) await rm(leftover, { recursive: true, force: true }).catch(() => undefined);
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

function messageOf(error: unknown): string {
  return (error as { message?: string } | null | undefined)?.message ?? String(error);
}
