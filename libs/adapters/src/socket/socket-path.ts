/**
 * Socket addresses longer than the kernel takes. `sun_path` has room for 107
 * bytes on Linux; a base directory deep in a home exceeds that easily. Linux
 * resolves `/proc/self/fd/<fd>` to the open file itself, so a descriptor makes
 * any path short. Elsewhere a long path is refused: cut silently, as some
 * libraries do, it would name another file.
 */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';

/** Longest path that can be bound or connected to as it is, in bytes. */
export const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/** The path of a control socket cannot be used: it is empty, holds a NUL byte, or is too long for this platform. */
export class SocketPathError extends Error {
  override readonly name = 'SocketPathError';
  readonly code = 'ERR_SOCKET_PATH';
}

// `O_PATH` refers to a file without opening it, which is all a socket file allows. Node does not export it.
const O_PATH = 0o10000000;

/**
 * Runs `use` with an address under which `path`, a file still to be made in an
 * existing directory, can be bound. The address is valid until `use` settles.
 * Rejects with `SocketPathError` or the error of opening the directory.
 */
export async function withBindAddress<T>(path: string, use: (address: string) => Promise<T>): Promise<T> {
  assertSocketPath(path);
  if (isShort(path)) return use(path);
  return withDescriptor(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY, (address) =>
    use(`${address}/${basename(path)}`),
  );
}

/** Connects to the socket file at `path`. Rejects with the system's error (`ENOENT`, `ECONNREFUSED`, …) or `SocketPathError`. */
export async function connectToSocket(path: string): Promise<Socket> {
  assertSocketPath(path);
  if (isShort(path)) return connectTo(path);
  return withDescriptor(path, O_PATH, connectTo);
}

/** Throws `SocketPathError` if no socket can be had at `path` on this platform. */
export function assertSocketPath(path: string): void {
  if (path === '' || path.includes('\0')) throw new SocketPathError('a socket path must not be empty or hold a NUL byte');
  if (isShort(path) || process.platform === 'linux') return;
  throw new SocketPathError(`the socket path ${path} is longer than ${MAX_SOCKET_PATH_BYTES} bytes; choose a shorter one`);
}

function isShort(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
}

async function withDescriptor<T>(path: string, flags: number, use: (address: string) => Promise<T>): Promise<T> {
  const handle = await open(path, flags);
  try {
    return await use(`/proc/self/fd/${handle.fd}`);
  } finally {
    await handle.close();
  }
}

function connectTo(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: address });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
