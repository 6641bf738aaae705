/** A directory of this machine as one side of a `SyncerWorld`. */

import * as fs from 'node:fs';
import path from 'node:path';

import { createLocalFsBackend, type LocalFsDeps } from '@wl/adapters/local-fs';

import type { Hands } from './dedicated-suite.js';

/** Hands on `location`, which is made. Writing replaces a file by another one, as most programs save. */
export function localHands(location: string, backendId: 'source' | 'target', deps: () => LocalFsDeps = () => ({})): Hands {
  fs.mkdirSync(location, { recursive: true });
  const at = (file: string): string => path.join(location, file);
  const below = (directory: string): string[] =>
    fs.existsSync(at(directory)) ? fs.readdirSync(at(directory), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => path.relative(location, path.join(entry.parentPath, entry.name))) : [];
  return {
    write: (file, text) => {
      fs.mkdirSync(path.dirname(at(file)), { recursive: true });
      fs.writeFileSync(at(`${file}.saving`), text);
      fs.renameSync(at(`${file}.saving`), at(file));
    },
    read: (file) => (fs.existsSync(at(file)) ? fs.readFileSync(at(file), 'utf8') : undefined),
    remove: (file) => fs.rmSync(at(file)),
    files: () => below('.').filter((file) => !file.startsWith('.wl/')),
    leftovers: () => below('.wl/staging'),
    open: () => createLocalFsBackend({ backendId, type: 'local', location }, deps()),
  };
}
