/** A local storage in a fresh directory, with the hands of somebody outside. */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { RESERVED_NAME } from '@wl/domain';
import type { OpenBackend } from '@wl/ports/testing';

import { createLocalFsBackend, type LocalFsDeps } from '../create-local-fs-backend.js';
import type { LocalFsBackend } from '../local-fs-backend.js';

/** The hands, and the place they work at. */
export interface OpenLocal extends OpenBackend {
  readonly backend: LocalFsBackend;
  readonly location: string;
}

/** Options of a storage under test. */
export interface OpenLocalOptions {
  readonly deps?: LocalFsDeps;
  readonly readOnly?: boolean;
  /** Where to make the fresh directory. */
  readonly parent?: string;
  /** Makes a directory impossible to enumerate; the root user of a test can enumerate anything. */
  readonly makeUnreadable?: (absolutePath: string) => void;
}

/** Makes a fresh directory and opens it. */
export async function openLocal(options: OpenLocalOptions = {}): Promise<OpenLocal> {
  const location = fs.mkdtempSync(join(options.parent ?? tmpdir(), 'wl-local-'));
  const at = (path: string): string => join(location, path);
  const others: { close(): Promise<unknown> }[] = [];
  const makeBackend = async (): Promise<LocalFsBackend> => {
    const params = { backendId: 'local', type: 'local', location, ...(options.readOnly === true && { readOnly: true }) } as const;
    const backend = createLocalFsBackend(params, options.deps);
    await backend.open();
    return backend;
  };
  const backend = await makeBackend();
  const { makeUnreadable } = options;
  return {
    backend,
    location,
    close: async () => {
      for (const other of others) await other.close();
      await backend.close();
      removeTree(location);
    },
    writeOutside: async (path, bytes) => {
      fs.mkdirSync(dirname(at(path)), { recursive: true });
      fs.writeFileSync(at(path), bytes);
    },
    readOutside: async (path) => (fs.statSync(at(path), { throwIfNoEntry: false })?.isFile() === true ? new Uint8Array(fs.readFileSync(at(path))) : undefined),
    removeOutside: async (path) => fs.rmSync(at(path), { recursive: true, force: true }),
    mkdirOutside: async (path) => void fs.mkdirSync(at(path), { recursive: true }),
    renameOutside: async (from, to) => fs.renameSync(at(from), at(to)),
    namesOutside: async () => visibleNames(location),
    trashOutside: async () => filesBelow(at(`${RESERVED_NAME}/trash`)).map((path) => new Uint8Array(fs.readFileSync(path))),
    symlinkOutside: async (path, target) => fs.symlinkSync(target, at(path)),
    specialOutside: async (path) => void execFileSync('mkfifo', [at(path)]),
    ...(makeUnreadable && { makeUnreadable: async (path: string) => makeUnreadable(at(path)) }),
    writeUnrepresentable: async (directory) => fs.writeFileSync(Buffer.concat([Buffer.from(`${at(directory)}/bad`), Buffer.from([0xff, 0xfe])]), 'x'),
    touchOutside: async (path, mtimeMs) => fs.utimesSync(at(path), mtimeMs / 1000, mtimeMs / 1000),
    setExecutableOutside: async (path, isExecutable) => fs.chmodSync(at(path), isExecutable ? 0o755 : 0o644),
    removeRoot: async () => fs.rmSync(location, { recursive: true }),
    reopen: async () => {
      await backend.close();
      const again = await makeBackend();
      others.push(again);
      return again;
    },
    openCopySource: async () => {
      const source = await openLocal(options);
      others.push(source);
      return source;
    },
  };
}

/** Removes a directory with all that is in it, as deep as that may be. */
export function removeTree(location: string): void {
  try {
    fs.rmSync(location, { recursive: true, force: true });
  } catch {
    // It stops at paths longer than PATH_MAX; `rm` does not, but a process costs more than most tests.
    execFileSync('rm', ['-rf', location]);
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
