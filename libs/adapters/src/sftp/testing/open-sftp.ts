/** A folder of its own on a real SFTP server on this machine, with the hands of somebody who works on its disk. */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';

import { RESERVED_NAME } from '@wl/domain';
import type { Clock, StorageBackend } from '@wl/ports';
import type { OpenBackend } from '@wl/ports/testing';

import { createSftpBackend } from '../create-sftp-backend.js';
import type { SftpParams } from '../sftp-params.js';

/** Real time. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

/** A server as `tools/sftp-server/start.sh` tells of it. */
export interface ServerUnderTest {
  readonly port: number;
  readonly login: string;
  readonly identity: string;
  readonly hostKey: string;
  /** A directory that the server may use. */
  readonly files: string;
  /** Whom the files must belong to, where that is not the user of the tests. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** The hands, and the place they work at. */
export interface OpenSftp extends OpenBackend {
  /** Absolute path on this machine, which is the server's too. */
  readonly location: string;
  /** Opens the folder once more, with other parameters. */
  readonly openAnother: (params?: Partial<SftpParams>) => Promise<StorageBackend>;
}

/** The server that the environment names. */
export function serverFromEnv(env: Readonly<Record<string, string | undefined>>): ServerUnderTest {
  const [port, login, identity, hostKey, files] = ['PORT', 'LOGIN', 'IDENTITY', 'HOST_KEY', 'FILES'].map((name) => env[`WL_SFTP_${name}`]);
  if (port === undefined || login === undefined || identity === undefined || hostKey === undefined || files === undefined) {
    throw new Error('WL_SFTP_PORT and its like are not set: eval "$(tools/sftp-server/start.sh DIR)"');
  }
  return { port: Number(port), login, identity, hostKey, files };
}

/** Parameters of a storage on a server. */
export function paramsFor({ port, login, identity, hostKey }: ServerUnderTest, path: string): SftpParams {
  return { backendId: 'sftp', host: '127.0.0.1', port, login, identity, hostKey, path };
}

/** Makes an empty folder and opens it. */
export async function openSftp(server: ServerUnderTest, more: Partial<SftpParams> = {}): Promise<OpenSftp> {
  const location = join(server.files, randomUUID());
  const at = (path: string): string => join(location, path);
  const { owner } = server;
  const own = (path: string): void => {
    if (owner !== undefined) fs.lchownSync(path, owner.uid, owner.gid);
  };
  const mkdir = (path: string): void => {
    if (fs.existsSync(path)) return;
    mkdir(dirname(path));
    fs.mkdirSync(path);
    own(path);
  };
  mkdir(location);
  const backends: StorageBackend[] = [];
  const openAnother = async (params: Partial<SftpParams> = {}): Promise<StorageBackend> => {
    const backend = createSftpBackend({ ...paramsFor(server, location), ...more, ...params }, { clock: realClock, env: {} });
    backends.push(backend);
    await backend.open();
    return backend;
  };
  const backend = await openAnother();
  return {
    backend,
    location,
    openAnother,
    timeStepMs: 1000,
    close: async () => {
      for (const one of backends) await one.close();
      await removeAll(location);
    },
    writeOutside: async (path, bytes) => {
      mkdir(dirname(at(path)));
      fs.writeFileSync(at(path), bytes);
      own(at(path));
    },
    readOutside: async (path) => (fs.statSync(at(path), { throwIfNoEntry: false })?.isFile() === true ? new Uint8Array(fs.readFileSync(at(path))) : undefined),
    removeOutside: async (path) => fs.rmSync(at(path), { recursive: true, force: true }),
    mkdirOutside: async (path) => mkdir(at(path)),
    renameOutside: async (from, to) => fs.renameSync(at(from), at(to)),
    namesOutside: async () => visibleNames(location),
    trashOutside: async () => filesBelow(at(`${RESERVED_NAME}/trash`)).map((path) => new Uint8Array(fs.readFileSync(path))),
    symlinkOutside: async (path, target) => fs.symlinkSync(target, at(path)),
    specialOutside: async (path) => void execFileSync('mkfifo', [at(path)]),
    // The root user of a server can enumerate anything.
    ...((owner ?? { uid: process.getuid?.() }).uid !== 0 && { makeUnreadable: async (path: string) => fs.chmodSync(at(path), 0) }),
    writeUnrepresentable: async (directory) => fs.writeFileSync(Buffer.concat([Buffer.from(`${at(directory)}/bad`), Buffer.from([0xff, 0xfe])]), 'x'),
    touchOutside: async (path, mtimeMs) => fs.utimesSync(at(path), mtimeMs / 1000, mtimeMs / 1000),
    removeRoot: async () => fs.rmSync(location, { recursive: true }),
    reopen: async () => {
      await backend.close();
      return openAnother();
    },
  };
}

/** The server may still carry out what it was asked before the connection ended: then a directory is not empty after all. */
async function removeAll(location: string): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      execFileSync('rm', ['-rf', location], { stdio: ['ignore', 'ignore', 'pipe'] });
      return;
    } catch (error) {
      if (turn === 100) throw error;
      await realClock.sleep(20);
    }
  }
}

/** Every path below the root but the reserved area; links are not followed. */
function visibleNames(location: string, prefix = ''): string[] {
  return fs.readdirSync(join(location, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix + entry.name;
    if (path === RESERVED_NAME) return [];
    return entry.isDirectory() ? [path, ...visibleNames(location, `${path}/`)] : [path];
  });
}

/** Absolute paths of all files below a directory. */
export function filesBelow(directory: string): string[] {
  if (!fs.existsSync(directory)) return [];
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
