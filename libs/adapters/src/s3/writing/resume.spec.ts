/** Uploads in parts across restarts: gone on with where the content is the same, swept where nobody goes on. */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath } from '@wl/domain';

import { S3Error } from '../s3-error.js';
import { AWS, type MemoryBucket } from '../testing/memory-bucket.js';
import { unreachable } from '../testing/memory-s3-api.js';
import { MemoryNotes, openBucket, openMachine, type Machine } from '../testing/open-writing.js';

import { sha256Of } from './digests.js';
import { ObjectWriter } from './object-writer.js';
import type { Sizes } from './sizes.js';
import { STALE_UPLOAD_MS, sweepUploads } from './sweep-uploads.js';
import { UploadJournal } from './upload-journal.js';

const TINY: Sizes = { small: 16, part: 8, step: 2, single: 64, copiedPart: 32, pipe: 8 };
const KEY = 'dir/big';
const TEXT = 'aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffff';

interface Place {
  readonly bucket: MemoryBucket;
  readonly notes: MemoryNotes;
  readonly clock: Machine['clock'];
}

function openPlace(): Place {
  return { ...openBucket(AWS), notes: new MemoryNotes() };
}

/** A writer of a process that just started. */
function start(place: Place, text = TEXT, mtimeMs = 5): { machine: Machine; writer: ObjectWriter } {
  const machine = openMachine(place.bucket, { clock: place.clock, notes: place.notes, name: `run${String(place.bucket.nextId(''))}` });
  const content = { sha256: sha256Of(Buffer.from(text)), sizeBytes: text.length };
  const target = { path: toRelativePath(KEY), key: KEY, expected: undefined, attributes: { mtimeMs, content } };
  return { machine, writer: new ObjectWriter(machine.context, target, undefined, TINY) };
}

/** Writes some of it, until the parts are with the server. */
async function writeSome(writer: ObjectWriter, text: string): Promise<void> {
  await writer.write(Buffer.from(text));
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A process that closed while it was writing. */
async function interrupted(place: Place, written = 30): Promise<Machine> {
  const { machine, writer } = start(place);
  await writeSome(writer, TEXT.slice(0, written));
  await writer.suspend();
  return machine;
}

async function finish({ machine, writer }: { machine: Machine; writer: ObjectWriter }, text = TEXT): Promise<readonly string[]> {
  await writer.write(Buffer.from(text));
  const committed = await writer.commit({ sha256: sha256Of(Buffer.from(text)), sizeBytes: text.length });
  expect(committed.ok).toBe(true);
  return machine.api.calls.map((call) => call.split(' ')[0]!);
}

describe('an upload that was interrupted', () => {
  it('is gone on with by the next writer of the same content: parts that are there are not sent again', async () => {
    const place = openPlace();
    await interrupted(place);
    expect(place.bucket.uploads.size).toBe(1);
    const calls = await finish(start(place));
    expect(place.bucket.text(KEY)).toBe(TEXT);
    expect(calls.filter((call) => call === 'uploadPart')).toHaveLength(3);
    expect(calls).not.toContain('createUpload');
    expect([place.bucket.uploads.size, new UploadJournal(place.notes).all()]).toEqual([0, []]);
  });

  it('T48: believes no part whose bytes are others, or fewer', async () => {
    const place = openPlace();
    await interrupted(place);
    const { parts } = [...place.bucket.uploads.values()][0]!;
    parts.set(1, { content: Buffer.from('XXXXXXXX'), etag: '0123456789abcdef0123456789abcdef' });
    parts.set(2, { content: Buffer.from('bbbb'), etag: parts.get(2)!.etag });
    const calls = await finish(start(place));
    expect(place.bucket.text(KEY)).toBe(TEXT);
    expect(calls.filter((call) => call === 'uploadPart')).toHaveLength(5);
  });

  it.each([
    ['other content', TEXT.toUpperCase(), 5],
    ['another size', `${TEXT}more`, 5],
    ['another time to be recorded', TEXT, 6],
  ])('is aborted when the next writer of the key has %s', async (_what, text, mtimeMs) => {
    const place = openPlace();
    await interrupted(place);
    const calls = await finish(start(place, text, mtimeMs), text);
    expect(place.bucket.text(KEY)).toBe(text);
    expect(calls.filter((call) => call === 'abortUpload' || call === 'createUpload')).toEqual(['abortUpload', 'createUpload']);
    expect(place.bucket.uploads.size).toBe(0);
  });

  it('begins anew when the server has it no more', async () => {
    const place = openPlace();
    await interrupted(place);
    place.bucket.uploads.clear();
    const calls = await finish(start(place));
    expect(calls).toContain('createUpload');
    expect(place.bucket.text(KEY)).toBe(TEXT);
  });

  it('is aborted when its writer gives it up, because the source changed', async () => {
    const place = openPlace();
    const { writer } = start(place);
    await writeSome(writer, TEXT.slice(0, 30));
    await writer.abort();
    expect([place.bucket.uploads.size, new UploadJournal(place.notes).all()]).toEqual([0, []]);
  });

  it('is kept when the server was lost in the middle, although its writer is aborted then', async () => {
    const place = openPlace();
    const first = start(place);
    first.machine.api.hook = ({ method, number }) => {
      if (method === 'uploadPart' && number > 3) throw unreachable();
    };
    await expect(finish(first)).rejects.toMatchObject({ code: 'unreachable' });
    first.machine.api.hook = () => undefined;
    await first.writer.abort();
    expect(place.bucket.uploads.size).toBe(1);
    const calls = await finish(start(place));
    expect(calls.filter((call) => call === 'uploadPart').length).toBeLessThan(6);
  });

  it('is left to the next start when the server cannot be reached to abort it', async () => {
    const place = openPlace();
    const { machine, writer } = start(place);
    await writeSome(writer, TEXT.slice(0, 30));
    machine.api.hook = () => { throw unreachable(); };
    await writer.abort();
    expect(new UploadJournal(place.notes).all()).toMatchObject([{ key: KEY, isGivenUp: true }]);
    const { context } = openMachine(place.bucket, place);
    expect(await sweepUploads(context, '', undefined)).toEqual({ aborted: 1, resumable: 0 });
    expect(place.bucket.uploads.size).toBe(0);
  });

  it('of a crashed process is gone on with, whichever request was its last', async () => {
    for (let last = 1; last <= 9; last += 1) {
      const place = openPlace();
      const { machine, writer } = start(place);
      machine.api.hook = ({ number }) => { if (number >= last) throw unreachable(); };
      await finish({ machine, writer }).catch(() => undefined);
      if (place.bucket.text(KEY) === undefined) await finish(start(place));
      expect(place.bucket.text(KEY)).toBe(TEXT);
    }
  });

  it('is not taken by a second writer of the same process', async () => {
    const place = openPlace();
    const { machine, writer } = start(place);
    await writeSome(writer, TEXT.slice(0, 30));
    const { target } = { target: { path: toRelativePath(KEY), key: KEY, expected: undefined, attributes: { mtimeMs: 5, content: { sha256: sha256Of(Buffer.from(TEXT)), sizeBytes: TEXT.length } } } };
    const second = new ObjectWriter(machine.context, target, undefined, TINY);
    await writeSome(second, TEXT.slice(0, 30));
    expect(place.bucket.uploads.size).toBe(2);
    await Promise.all([writer.abort(), second.abort()]);
    expect(place.bucket.uploads.size).toBe(0);
  });
});

describe('sweeping uploads', () => {
  it('keeps ours that may be gone on with, and aborts those that are too old', async () => {
    const place = openPlace();
    await interrupted(place);
    const sweep = (): Promise<unknown> => sweepUploads(openMachine(place.bucket, place).context, '', place.clock.nowMs());
    expect(await sweep()).toEqual({ aborted: 0, resumable: 1 });
    await place.clock.advance(STALE_UPLOAD_MS + 1);
    expect(await sweep()).toEqual({ aborted: 1, resumable: 0 });
    expect([place.bucket.uploads.size, new UploadJournal(place.notes).all()]).toEqual([0, []]);
  });

  it('aborts ours that nobody could go on with: the content was not known', async () => {
    const place = openPlace();
    const machine = openMachine(place.bucket, place);
    const writer = new ObjectWriter(machine.context, { path: toRelativePath(KEY), key: KEY, expected: undefined, attributes: { mtimeMs: 5 } }, undefined, TINY);
    await writeSome(writer, TEXT.slice(0, 30));
    // The process dies here.
    expect(await sweepUploads(openMachine(place.bucket, place).context, '', undefined)).toEqual({ aborted: 1, resumable: 0 });
    expect(place.bucket.uploads.size).toBe(0);
  });

  it('leaves those alone that a writer is at', async () => {
    const place = openPlace();
    const { machine, writer } = start(place);
    await writeSome(writer, TEXT.slice(0, 30));
    await place.clock.advance(STALE_UPLOAD_MS * 2);
    expect(await sweepUploads(machine.context, '', place.clock.nowMs())).toEqual({ aborted: 0, resumable: 0 });
    expect(place.bucket.uploads.size).toBe(1);
    expect((await finish({ machine, writer }, TEXT.slice(30)).catch(() => 'wrong content'))).toBe('wrong content');
  });

  it('INV-22: never touches those of other machines before they are seven days old by the server\'s clock', async () => {
    const place = openPlace();
    const other = openMachine(place.bucket, { clock: place.clock });
    await other.api.createUpload('dir/theirs', { metadata: new Map() });
    await other.api.createUpload('elsewhere/theirs', { metadata: new Map() });
    // Our own clock is far ahead.
    place.clock.stepWall(10 * STALE_UPLOAD_MS);
    const serverNowMs = place.clock.nowMs() - 10 * STALE_UPLOAD_MS;
    const { context } = openMachine(place.bucket, place);
    expect(await sweepUploads(context, 'dir/', serverNowMs + STALE_UPLOAD_MS)).toMatchObject({ aborted: 0 });
    expect(await sweepUploads(context, 'dir/', undefined)).toMatchObject({ aborted: 0 });
    expect(await sweepUploads(context, 'dir/', serverNowMs + STALE_UPLOAD_MS + 1)).toMatchObject({ aborted: 1 });
    expect([...place.bucket.uploads.values()].map(({ key }) => key)).toEqual(['elsewhere/theirs']);
  });

  it('forgets one that was completed while the answer was lost, and those that the server does not have', async () => {
    const place = openPlace();
    const { machine, writer } = start(place);
    machine.api.hook = ({ method, moment, number }) => {
      if ((method === 'completeUpload' && moment === 'after') || number > 9) throw unreachable();
    };
    await expect(finish({ machine, writer })).rejects.toMatchObject({ code: 'unreachable' });
    expect(place.bucket.text(KEY)).toBe(TEXT);
    expect(new UploadJournal(place.notes).all()).toHaveLength(1);
    expect(await sweepUploads(openMachine(place.bucket, place).context, '', undefined)).toEqual({ aborted: 0, resumable: 0 });
    expect(new UploadJournal(place.notes).all()).toEqual([]);
  });

  it('leaves all to the next start when the server fails, and rejects only when stopped', async () => {
    const place = openPlace();
    await interrupted(place);
    const machine = openMachine(place.bucket, place);
    machine.api.hook = () => { throw new S3Error('permission-denied', 'not allowed', { status: 403, isRetryable: false }); };
    expect(await sweepUploads(machine.context, '', 0)).toEqual({ aborted: 0, resumable: 1 });
    machine.api.hook = () => undefined;
    await expect(sweepUploads(machine.context, '', 0, AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
  });
});

describe('the journal of uploads', () => {
  it.each([['text'], [{}], [[null, 1, { key: 'a' }, { key: 'a', uploadId: 'u', writeId: 'w', partBytes: 1, startedMs: '0' }]]])('reads nothing out of notes that are not its own: %j', (noted) => {
    const notes = new MemoryNotes();
    notes.put('uploads', noted);
    expect(new UploadJournal(notes).all()).toEqual([]);
  });
});
