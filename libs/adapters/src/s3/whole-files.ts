/** Small files of a bucket, many at a time: one request each, many under way. */

import type { RelativePath } from '@wl/domain';
import { isBackendError, type WholeFiles, type WholeRead, type WholeReadOutcome, type WholeWrite, type WholeWriteOutcome } from '@wl/ports';

import type { Directories } from './directories.js';
import type { KeyLayout } from './key-layout.js';
import { refusalOf } from './placed-copies.js';
import type { S3Api } from './s3-api.js';
import { toBackendError } from './s3-error.js';
import { versionOf } from './version-token.js';
import type { WriteContext } from './writing/context.js';
import { sha256Of } from './writing/digests.js';
import { attributesOf } from './writing/object-properties.js';
import { createWholeWriter, type WholeWriter } from './writing/whole-writer.js';

/** Largest file taken whole, in bytes; so many at once bound the memory. */
const MAX_BYTES = 1 << 20;

/** Objects read at the same time. */
const READ_AT_ONCE = 32;

/** Outcomes given out together, and bytes in them, at most. */
const BATCH_FILES = 64;
const BATCH_BYTES = 4 << 20;

/** What reading and writing need. */
export interface WholeFilesParts {
  readonly api: S3Api;
  readonly layout: KeyLayout;
  readonly directories: Directories;
  readonly context: WriteContext;
  readonly ensureAbilities: () => Promise<void>;
  readonly assertWritable: (operation: string, path: RelativePath) => void;
  readonly signalFor: (signal: AbortSignal | undefined) => AbortSignal;
  readonly onChange: (path: RelativePath) => void;
}

type Read = { readonly index: number; readonly outcome: WholeReadOutcome };

/** Reads and writes small objects whole. */
export function createWholeFiles(parts: WholeFilesParts): WholeFiles {
  const writer = createWholeWriter(parts.context);
  return {
    maxBytes: MAX_BYTES,
    read: (requests, signal) => readAll(parts, requests, parts.signalFor(signal)),
    write: (requests, signal) => writeAll(parts, writer, requests, parts.signalFor(signal)),
  };
}

async function* readAll(parts: WholeFilesParts, requests: readonly WholeRead[], signal: AbortSignal): AsyncGenerator<readonly Read[]> {
  const running = new Set<Promise<void>>();
  let ready: Read[] = [];
  let readyBytes = 0;
  let next = 0;
  const start = (index: number): void => {
    const reading = readOne(parts, requests[index]!, signal).then((outcome) => {
      running.delete(reading);
      ready.push({ index, outcome });
      if (outcome.kind === 'read') readyBytes += outcome.content.byteLength;
    });
    // A stop is met where it is waited for; until then it must not count as unhandled.
    reading.catch(() => undefined);
    running.add(reading);
  };
  try {
    for (;;) {
      while (next < requests.length && running.size < READ_AT_ONCE && readyBytes < BATCH_BYTES) start(next++);
      if (running.size === 0 && ready.length === 0) return;
      const isFull = ready.length >= BATCH_FILES || readyBytes >= BATCH_BYTES || running.size === 0;
      if (!isFull) {
        await Promise.race(running);
        continue;
      }
      const batch = ready;
      ready = [];
      readyBytes = 0;
      yield batch;
    }
  } finally {
    await Promise.allSettled(running);
  }
}

/** One object. A stop is thrown; any other failure is this file's own (INV-16). */
async function readOne({ api, layout }: WholeFilesParts, { path, expected, sizeBytes }: WholeRead, signal: AbortSignal): Promise<WholeReadOutcome> {
  const version = versionOf(expected);
  if (version === undefined || version.sizeBytes !== sizeBytes || layout.isReserved(path)) return { kind: 'changed' };
  try {
    const object = await api.getObject(layout.file(path, 'read'), version.etag, 0, signal);
    if (object === 'stale') return { kind: 'changed' };
    if (object.head.sizeBytes !== sizeBytes) {
      object.destroy();
      return { kind: 'changed' };
    }
    const content = new Uint8Array(sizeBytes);
    let at = 0;
    for await (const chunk of object.body) {
      if (at + chunk.byteLength > sizeBytes) return { kind: 'changed' };
      content.set(chunk, at);
      at += chunk.byteLength;
    }
    if (at !== sizeBytes) return { kind: 'changed' };
    return { kind: 'read', content, sha256: sha256Of(content), attributes: attributesOf(object.head), isRacy: false };
  } catch (caught) {
    const error = toBackendError(caught, 'read', path);
    if (!isBackendError(error) || error.code === 'cancelled') throw error;
    return { kind: 'failed', error };
  }
}

async function writeAll(
  parts: WholeFilesParts,
  writer: WholeWriter,
  requests: readonly WholeWrite[],
  signal: AbortSignal,
): Promise<readonly WholeWriteOutcome[]> {
  await parts.ensureAbilities();
  const outcomes = new Array<WholeWriteOutcome | undefined>(requests.length);
  await Promise.all(
    requests.map(async (request, index) => {
      outcomes[index] = wholeOutcome(await refusalOf(parts, request.path, signal));
    }),
  );
  const free = requests.filter((_, index) => outcomes[index] === undefined);
  const written = await writer.write(free, signal);
  let next = 0;
  return requests.map(({ path }, index) => {
    const outcome = outcomes[index] ?? written[next++]!;
    if (outcome.kind === 'written') parts.onChange(path);
    return outcome;
  });
}

function wholeOutcome(refusal: Awaited<ReturnType<typeof refusalOf>>): WholeWriteOutcome | undefined {
  return refusal?.kind === 'target-changed' ? { kind: 'stale' } : refusal;
}
