/**
 * A large file that changed in one place: what did not change is copied on the server (ADR 0017).
 * Whatever the server makes of that, the file is the new one, or the old one is as it was (INV-6, INV-17, INV-27).
 */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath } from '@wl/domain';

import { S3Error } from '../s3-error.js';
import { AWS, CEPH, VERSIONED, type Manners, type MemoryBucket } from '../testing/memory-bucket.js';
import { unreachable, type Hook } from '../testing/memory-s3-api.js';
import { MemoryNotes, MemoryParts, openBucket, openMachine, type Machine } from '../testing/open-writing.js';
import { dieAt, SERVERS } from '../testing/servers.js';

import { md5Of, sha256Of } from './digests.js';
import { ObjectWriter } from './object-writer.js';
import type { Sizes } from './sizes.js';
import { sweepUploads } from './sweep-uploads.js';
import { UploadJournal } from './upload-journal.js';

const SMALL: Sizes = { small: 16, part: 8, step: 2, single: 1000, copiedPart: 1000, pipe: 8 };
const KEY = 'dir/big';
const OLD = 'aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffff';
const NEW = OLD.replace('cc', 'XX');

/** A machine, what it remembers across restarts, and a bucket. */
class Place {
  readonly notes = new MemoryNotes();
  readonly parts = new MemoryParts();
  readonly bucket: MemoryBucket;
  readonly #clock;

  constructor(manners: Partial<Manners> = AWS) {
    ({ bucket: this.bucket, clock: this.#clock } = openBucket(manners));
  }

  machine(): Machine {
    return openMachine(this.bucket, { clock: this.#clock, notes: this.notes, parts: this.parts, name: this.bucket.nextId('run') });
  }

  /** The ETag that is there now. */
  get etag(): string {
    return this.bucket.current(KEY)!.etag;
  }
}

function writerFor(machine: Machine, content: Uint8Array, expected: string | undefined, sizes = SMALL): ObjectWriter {
  const identity = { sha256: sha256Of(content), sizeBytes: content.length };
  return new ObjectWriter(machine.context, { path: toRelativePath(KEY), key: KEY, expected, attributes: { mtimeMs: 5, content: identity } }, undefined, sizes);
}

interface Written {
  readonly isDone: boolean;
  /** Methods called, without their keys. */
  readonly calls: readonly string[];
}

/** Writes it as a new process of the machine would, in pieces that are no parts. */
async function write(machine: Machine, text: string | Uint8Array, expected: string | undefined, sizes = SMALL): Promise<Written> {
  const content = Buffer.from(text as Uint8Array);
  const before = machine.api.calls.length;
  const writer = writerFor(machine, content, expected, sizes);
  try {
    for (let at = 0; at < content.length; at += 5) await writer.write(content.subarray(at, at + 5));
    const committed = await writer.commit({ sha256: sha256Of(content), sizeBytes: content.length });
    return { isDone: committed.ok, calls: machine.api.calls.slice(before).map((call) => call.split(' ')[0]!) };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

const count = ({ calls }: Written, method: string): number => calls.filter((call) => call === method).length;
const sentAndCopied = (written: Written): readonly [number, number] => [count(written, 'uploadPart'), count(written, 'copyPart')];

describe('a large file that changed in one place', () => {
  it.each([
    ['in the middle', NEW, [1, 5]],
    ['at its start', `X${OLD.slice(1)}`, [1, 5]],
    ['at its end', `${OLD.slice(0, -1)}X`, [1, 5]],
    ['by what was appended', `${OLD}ffffgggg`, [2, 5]],
    ['by what was cut off', OLD.slice(0, 20), [1, 2]],
    ['by a part that was put in', `${OLD.slice(0, 8)}XXXXXXXX${OLD.slice(8)}`, [1, 6]],
    ['by parts that changed places', `${OLD.slice(8, 16)}${OLD.slice(0, 8)}${OLD.slice(16)}`, [0, 6]],
    ['in everything', OLD.toUpperCase(), [6, 0]],
    ['in its time alone', OLD, [0, 6]],
  ])('%s is written without sending what did not change', async (_where, text, expected) => {
    const place = new Place();
    expect(sentAndCopied(await write(place.machine(), OLD, undefined))).toEqual([6, 0]);
    const machine = place.machine();
    const replaced = await write(machine, text, place.etag);
    expect([place.bucket.text(KEY), sentAndCopied(replaced)]).toEqual([text, expected]);
    expect([place.bucket.uploads.size, new UploadJournal(place.notes).all()]).toEqual([0, []]);
  });

  it('is written so again and again', async () => {
    const place = new Place();
    await write(place.machine(), OLD, undefined);
    for (const text of [NEW, OLD, OLD.replace('bb', 'YY'), OLD]) {
      expect(sentAndCopied(await write(place.machine(), text, place.etag))).toEqual([1, 5]);
      expect(place.bucket.text(KEY)).toBe(text);
    }
  });

  it('of another version than is remembered is sent as a whole', async () => {
    const place = new Place();
    await write(place.machine(), OLD, undefined);
    place.bucket.put(KEY, `${OLD.slice(0, 40)}theirs`);
    expect(sentAndCopied(await write(place.machine(), NEW, place.etag))).toEqual([6, 0]);
    expect(place.bucket.text(KEY)).toBe(NEW);
  });

  it('that takes smaller parts now, or more of them than there may be, is sent as a whole', async () => {
    const place = new Place();
    await write(place.machine(), OLD, undefined);
    const larger: Sizes = { ...SMALL, part: 16 };
    expect(sentAndCopied(await write(place.machine(), NEW, place.etag, larger))).toEqual([3, 0]);
    expect(sentAndCopied(await write(place.machine(), OLD, place.etag))).toEqual([6, 0]);
    expect(place.bucket.text(KEY)).toBe(OLD);
  });

  it('keeps the size of its parts where larger ones would be planned for it now', async () => {
    const place = new Place();
    await write(place.machine(), OLD, undefined);
    const replaced = await write(place.machine(), NEW, place.etag, { ...SMALL, step: 16 });
    expect([sentAndCopied(replaced), place.bucket.text(KEY)]).toEqual([[1, 5], NEW]);
  });

  it('under another name is known as well, where it was copied there on the server', async () => {
    const place = new Place();
    const machine = place.machine();
    await write(machine, OLD, undefined);
    machine.context.parts.rememberCopy({ key: KEY, etag: place.etag }, { key: 'other', etag: 'tag' });
    expect(place.parts.recall('other')).toEqual({ ...place.parts.recall(KEY), key: 'other', etag: 'tag' });
    machine.context.parts.rememberCopy({ key: KEY, etag: 'of another version' }, { key: 'none', etag: 'tag' });
    expect(place.parts.recall('none')).toBeUndefined();
  });
});

/** More parts than are under way at once, no two alike. */
const LONG = Array.from({ length: 20 }, (_, index) => `part ${String(index).padStart(3, '0')}`).join('');

describe('INV-27: what comes out of copying a part is judged', () => {
  it.each<[string, Partial<Manners>]>([
    ['a server that cannot copy parts', { copiesParts: 'refused' }],
    ['a server that copies more than the range', { copiesParts: 'whole' }],
  ])('%s is sent everything, and is not asked again', async (_name, manners) => {
    const place = new Place(manners);
    const machine = place.machine();
    await write(machine, LONG, undefined);
    const first = await write(machine, `${LONG}more`, place.etag);
    expect([place.bucket.text(KEY), count(first, 'uploadPart')]).toEqual([`${LONG}more`, 21]);
    expect([0, 5]).not.toContain(Math.min(5, count(first, 'copyPart')));
    const second = await write(machine, LONG, place.etag);
    expect([place.bucket.text(KEY), sentAndCopied(second)]).toEqual([LONG, [20, 0]]);
  });

  it.each([
    ['was not reached', unreachable()],
    ['does not let this object be read', new S3Error('unsupported', 'archived', { status: 403, code: 'InvalidObjectState', isRetryable: false })],
  ])('a server that %s is sent the rest of this file, and is asked for the next', async (_what, failure) => {
    const place = new Place();
    const machine = place.machine();
    await write(machine, LONG, undefined);
    machine.api.hook = ({ method }) => { if (method === 'copyPart') throw failure; };
    const first = await write(machine, `${LONG}more`, place.etag);
    expect([count(first, 'uploadPart'), count(first, 'copyPart') <= 4]).toEqual([21, true]);
    machine.api.hook = () => undefined;
    expect(sentAndCopied(await write(machine, LONG, place.etag))).toEqual([0, 20]);
    expect(place.bucket.text(KEY)).toBe(LONG);
  });

  it.each([['early', NEW.slice(0, -1)], ['late', `${NEW}!`]])('T41, T42: a source that ends too %s leaves what was there, and nothing else', async (_when, read) => {
    const place = new Place();
    await write(place.machine(), OLD, undefined);
    const writer = writerFor(place.machine(), Buffer.from(NEW), place.etag);
    const content = Buffer.from(read);
    const outcome = await writer.write(content).then(() => writer.commit({ sha256: sha256Of(content), sizeBytes: content.length })).catch((error: { code: string }) => error.code);
    await writer.abort();
    expect([outcome, place.bucket.text(KEY), place.bucket.uploads.size]).toEqual(['damaged', OLD, 0]);
    expect(sentAndCopied(await write(place.machine(), NEW, place.etag))).toEqual([1, 5]);
  });

  it('parts that are remembered wrongly are sent', async () => {
    const place = new Place();
    await write(place.machine(), OLD, undefined);
    const known = place.parts.recall(KEY)!;
    // As though the old version had all parts of the new one.
    const lies = Buffer.concat(NEW.match(/.{1,8}/g)!.map((part) => Buffer.from(sha256Of(Buffer.from(part)), 'hex')));
    place.parts.remember({ ...known, digests: lies });
    const replaced = await write(place.machine(), NEW, place.etag);
    expect([replaced.isDone, place.bucket.text(KEY)]).toEqual([true, NEW]);
  });

  it('bytes that the disk changed while they were copied are sent instead', async () => {
    const place = new Place();
    await write(place.machine(), OLD, undefined);
    const machine = place.machine();
    let isCopying = false;
    machine.api.hook = ({ method, moment }) => { isCopying = method === 'copyPart' && moment === 'before'; };
    place.bucket.corrupt = (content) => (isCopying ? Buffer.from(content).fill('!', 0, 1) : content);
    expect((await write(machine, NEW, place.etag)).isDone).toBe(true);
    expect(place.bucket.text(KEY)).toBe(NEW);
  });

  it('two parts that were made to have the same MD5 are told apart', async () => {
    // Wang, Feng, Lai, Yu, "Collisions for Hash Functions MD4, MD5, HAVAL-128 and RIPEMD", 2004.
    const one = Buffer.from(
      'd131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b' +
        'd8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70',
      'hex',
    );
    const two = Buffer.from(one);
    for (const at of [19, 45, 59, 83, 109, 123]) two[at] = two[at]! ^ 0x80;
    expect([md5Of(two), sha256Of(two)]).toEqual([md5Of(one), expect.not.stringMatching(sha256Of(one))]);
    const sizes: Sizes = { ...SMALL, part: 128 };
    const place = new Place();
    await write(place.machine(), Buffer.concat([one, Buffer.alloc(128, 'rest')]), undefined, sizes);
    const replaced = await write(place.machine(), Buffer.concat([two, Buffer.alloc(128, 'rest')]), place.etag, sizes);
    expect([sentAndCopied(replaced), Buffer.from(place.bucket.current(KEY)!.content).subarray(0, 128)]).toEqual([[1, 1], two]);
  });

  it('the whole is read back where its ETag does not follow from those of its parts', async () => {
    const place = new Place();
    await write(place.machine(), OLD, undefined);
    const machine = place.machine();
    const assemble = place.bucket.assemble.bind(place.bucket);
    place.bucket.assemble = (upload, parts) => ({ ...assemble(upload, parts)!, etag: `of its own-${String(parts.length)}` });
    const replaced = await write(machine, NEW, place.etag);
    expect([place.bucket.text(KEY), count(replaced, 'getObject')]).toEqual([NEW, 1]);
  });
});

describe.each(SERVERS)('on %s', (_name, manners) => {
  const isJudged = manners.md5Tags;
  // The first version has to be written in parts as well, so that they are known.
  const isInParts = manners.completeConditions || (manners.match === 'ignored' && !manners.absent);

  it('parts are copied where the upload in parts is the safest way, and what comes out can be judged', async () => {
    const place = new Place(manners);
    await write(place.machine(), OLD, undefined);
    const replaced = await write(place.machine(), NEW, place.etag);
    expect([replaced.isDone, place.bucket.text(KEY), count(replaced, 'copyPart')]).toEqual([true, NEW, isJudged && isInParts ? 5 : 0]);
  });

  it('INV-5: the version to be replaced is kept before it is replaced', async () => {
    const place = new Place(manners);
    await write(place.machine(), OLD, undefined);
    const old = place.etag;
    const machine = place.machine();
    const keptAt: number[] = [];
    machine.api.hook = ({ method, moment }) => { if (method === 'completeUpload' && moment === 'before') keptAt.push(machine.kept.size); };
    await write(machine, NEW, old);
    const kept = manners.isVersioned ? place.bucket.versions.get(KEY)!.some(({ etag }) => etag === old) : machine.kept.has(`${KEY} ${old}`);
    expect(kept).toBe(true);
    if (!manners.isVersioned) expect(keptAt.every((size) => size === 1)).toBe(true);
  });

  it('INV-17: a version that somebody writes in the middle is not replaced, and nothing is left behind', async () => {
    for (let number = 1; number <= 9; number += 1) {
      const place = new Place(manners);
      await write(place.machine(), OLD, undefined);
      const machine = place.machine();
      let isWritten = false;
      machine.api.hook = (call) => {
        if (call.number !== number || call.moment !== 'before' || isWritten || call.method === 'completeUpload' || call.method === 'putStream') return;
        isWritten = true;
        place.bucket.put(KEY, OLD.replaceAll('d', 'T'));
      };
      const replaced = await write(machine, NEW, place.etag);
      // Whoever looks right before and after may miss what comes in the last moment: that is what a window is.
      if (!isWritten || (replaced.isDone && !losesNothingInParts(manners))) continue;
      expect([number, replaced.isDone, place.bucket.text(KEY), place.bucket.uploads.size]).toEqual([number, false, OLD.replaceAll('d', 'T'), 0]);
    }
  });

  it('T46: an upload that broke off is gone on with, wherever it did, and sends no more than the change', async () => {
    for (let last = 1; last <= 12; last += 1) {
      const place = new Place(manners);
      await write(place.machine(), OLD, undefined);
      const old = place.etag;
      const broken = place.machine();
      broken.api.hook = dieAt(last, 'before');
      await write(broken, NEW, old).catch(() => undefined);
      expect([OLD, NEW]).toContain(place.bucket.text(KEY));
      if (place.bucket.text(KEY) === OLD) {
        const again = await write(place.machine(), NEW, old);
        if (isJudged && isInParts) expect([last, count(again, 'uploadPart') <= 1]).toEqual([last, true]);
      }
      // One whose completion was answered to nobody is found to be there at the next start.
      await sweepUploads(place.machine().context, '', undefined);
      expect([place.bucket.text(KEY), new UploadJournal(place.notes).all(), place.bucket.uploads.size]).toEqual([NEW, [], 0]);
    }
  });
});

/** Whether nothing written in between is lost when an upload in parts is completed. */
function losesNothingInParts({ isVersioned, completeConditions, match }: Manners): boolean {
  return isVersioned || (completeConditions && match !== 'ignored');
}

describe('INV-17: once the version to be replaced is gone', () => {
  it.each<[string, Manners]>([['a server that compares the source', AWS], ['one that does not', VERSIONED], ['Ceph above the size of one request', CEPH]])('no more is sent to %s', async (_name, manners) => {
    const place = new Place(manners);
    const sizes: Sizes = { ...SMALL, single: 20 };
    const long = OLD.repeat(20);
    await write(place.machine(), long, undefined, sizes);
    const machine = place.machine();
    const hook: Hook = ({ method, moment }) => {
      if (method === 'copyPart' && moment === 'before') place.bucket.put(KEY, 'of somebody else, and as large as it gets'.repeat(30));
    };
    machine.api.hook = hook;
    const replaced = await write(machine, long.replace('cc', 'XX'), place.etag, sizes);
    expect([replaced.isDone, count(replaced, 'uploadPart') <= 4, place.bucket.uploads.size]).toEqual([false, true, 0]);
    expect(place.bucket.text(KEY)).toContain('of somebody else');
  });
});
