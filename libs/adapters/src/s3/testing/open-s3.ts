/** An S3 storage in an empty folder of a bucket, with the hands of somebody outside who uses other tools. */

import { RESERVED_NAME } from '@wl/domain';
import type { Clock } from '@wl/ports';
import type { OpenBackend } from '@wl/ports/testing';

import type { S3Abilities } from '../abilities.js';
import { createS3Backend } from '../create-s3-backend.js';
import type { S3Backend } from '../s3-backend.js';
import type { S3Notes, S3Params } from '../s3-params.js';

/** What an outsider does to a bucket. Keys are whole. */
export interface OutsideBucket {
  put(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  delete(key: string): Promise<void>;
  keys(prefix: string): Promise<readonly string[]>;
}

/** Where to open, and how. */
export interface OpenS3Options {
  readonly params: Omit<S3Params, 'backendId' | 'url'>;
  readonly bucket: string;
  /** `''`, or ending in `/`. */
  readonly prefix: string;
  readonly outside: OutsideBucket;
  /** Takes the whole bucket away. */
  readonly removeRoot?: () => Promise<void>;
  /** After everything is closed. */
  readonly onClose?: () => Promise<void>;
  /** What was proved of such an endpoint before: nothing is tried again. */
  readonly abilities?: S3Abilities;
  /** Another bucket of the endpoint, for copies from it; default: another folder of the same one. */
  readonly copySourceBucket?: { readonly name: string; readonly outside: OutsideBucket };
  /** What trash there is cannot be seen from outside as objects (a versioned bucket). */
  readonly hidesTrash?: boolean;
}

/** The system's time. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      }
    }),
};

/** Notes that last as long as the test. */
export function memoryNotes(): S3Notes {
  const notes = new Map<string, string>();
  return {
    get: (name) => (notes.has(name) ? (JSON.parse(notes.get(name)!) as unknown) : undefined),
    put: (name, value) => void (value === undefined ? notes.delete(name) : notes.set(name, JSON.stringify(value))),
  };
}

/** Opens it. */
export async function openS3(options: OpenS3Options): Promise<OpenBackend & { readonly backend: S3Backend }> {
  const { outside, prefix, bucket } = options;
  const notes = memoryNotes();
  if (options.abilities !== undefined) {
    const place = `${options.params.endpointUrl ?? ''} ${bucket}`;
    notes.put('abilities', { version: 1, place, provedMs: Date.now(), abilities: options.abilities });
  }
  const opened: { close(): Promise<unknown> }[] = [];
  let serial = 0;
  const openOne = async (): Promise<S3Backend> => {
    const backend = createS3Backend(
      { ...options.params, backendId: 's3', url: `s3://${bucket}/${prefix}` },
      { clock: realClock, notes, env: {} },
    ) as S3Backend;
    await backend.open();
    opened.push(backend);
    return backend;
  };
  const backend = await openOne();
  const area = `${prefix}${RESERVED_NAME}/`;
  const visible = async (): Promise<readonly string[]> => (await outside.keys(prefix)).filter((key) => !key.startsWith(area));
  const move = async (from: string, to: string): Promise<void> => {
    await outside.put(to, (await outside.get(from)) ?? new Uint8Array(0));
    await outside.delete(from);
  };
  return {
    backend,
    close: async () => {
      for (const one of opened) await one.close();
      await options.onClose?.();
    },
    writeOutside: (path, bytes) => outside.put(prefix + path, bytes),
    readOutside: (path) => outside.get(prefix + path),
    removeOutside: async (path) => {
      for (const key of await visible()) if (key === prefix + path || key.startsWith(`${prefix}${path}/`)) await outside.delete(key);
    },
    mkdirOutside: async (path) => {
      const parts = path.split('/');
      for (let depth = 1; depth <= parts.length; depth += 1) await outside.put(`${prefix}${parts.slice(0, depth).join('/')}/`, new Uint8Array(0));
    },
    renameOutside: async (from, to) => {
      for (const key of await visible()) {
        if (key === prefix + from || key.startsWith(`${prefix}${from}/`)) await move(key, prefix + to + key.slice(prefix.length + from.length));
      }
    },
    namesOutside: async () => [...namesOf((await visible()).map((key) => key.slice(prefix.length)))],
    ...(options.hidesTrash !== true && {
      trashOutside: async () => {
        const kept = await outside.keys(`${area}trash/`);
        return Promise.all(kept.map(async (key) => (await outside.get(key)) ?? new Uint8Array(0)));
      },
    }),
    ...(options.removeRoot && { removeRoot: options.removeRoot }),
    reopen: async () => {
      await backend.close();
      return openOne();
    },
    openCopySource: async () => {
      serial += 1;
      const { onClose: _onClose, removeRoot: _removeRoot, copySourceBucket, ...rest } = options;
      const source = await openS3({ ...rest, ...(copySourceBucket && { bucket: copySourceBucket.name, outside: copySourceBucket.outside }), prefix: `copy-source-${String(serial)}/${prefix}` });
      opened.push(source);
      return source;
    },
  };
}

/** Paths of files and of the directories they are in. */
function namesOf(keys: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const key of keys) {
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) names.add(key.slice(0, slash));
    if (!key.endsWith('/')) names.add(key);
  }
  return names;
}
