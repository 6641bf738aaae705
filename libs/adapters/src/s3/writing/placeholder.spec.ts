/** Names reserved on a server that compares for a `PUT` alone (ADR 0011). */

import { describe, expect, it } from '@jest/globals';

import { S3Error } from '../s3-error.js';
import { CEPH, type MemoryBucket } from '../testing/memory-bucket.js';
import { LostReply, unreachable } from '../testing/memory-s3-api.js';
import { abilitiesOf, openBucket, openMachine, type Machine } from '../testing/open-writing.js';
import { at, dieAt, SERVERS } from '../testing/servers.js';

import { md5Of, sha256Of } from './digests.js';
import { propertiesFor } from './object-properties.js';
import { LEFTOVER_AGE_MS } from './placeholder-hold.js';
import { clearStalePlaceholder, placeholderCopy, placeholderDelete } from './placeholder-steps.js';
import { drawVariant, isPlaceholder, isPlaceholderContent, isPlaceholderUsable, PLACEHOLDER_SIZE, placeholderBytes } from './placeholder.js';
import { writeObject } from './write-object.js';

const KEY = 'dir/file';
const MOMENTS = ['before', 'after'] as const;

function open(): { bucket: MemoryBucket; machine: Machine; clock: Machine['clock'] } {
  const { bucket, clock } = openBucket(CEPH);
  return { bucket, machine: openMachine(bucket, { clock }), clock };
}

function isTransition(bucket: MemoryBucket): boolean {
  const current = bucket.current(KEY);
  return current !== undefined && isPlaceholder(current.etag, current.content.length);
}

/** Copies `source` to `KEY` where nothing is. */
function copy({ context, clock }: Machine, bucket: MemoryBucket): ReturnType<typeof placeholderCopy> {
  const source = bucket.current('source')!;
  const writeId = context.newId();
  const properties = propertiesFor(KEY, { attributes: { mtimeMs: 1 }, sha256: sha256Of(source.content), etag: source.etag, writeId });
  const request = { source: { key: 'source', etag: source.etag }, key: KEY, properties, writeId, sizeBytes: source.content.length };
  return clock.runUntil(placeholderCopy(context, request));
}

describe('placeholders', () => {
  it('are told by ETag and size, and by nothing less', () => {
    const bytes = placeholderBytes(0xabc);
    expect(bytes).toHaveLength(PLACEHOLDER_SIZE);
    expect(isPlaceholder(md5Of(bytes), PLACEHOLDER_SIZE)).toBe(true);
    expect(isPlaceholder(md5Of(bytes), PLACEHOLDER_SIZE + 1)).toBe(false);
    expect(isPlaceholder(md5Of(Buffer.from('else')), PLACEHOLDER_SIZE)).toBe(false);
    expect([isPlaceholderContent(bytes), isPlaceholderContent(Buffer.alloc(PLACEHOLDER_SIZE))]).toEqual([true, false]);
  });

  it('differ from the one they replace, whatever is drawn', () => {
    for (let turn = 0; turn < 200; turn += 1) {
      const seed = `seed ${String(turn)}`;
      const drawn = drawVariant(seed, undefined);
      expect(drawVariant(seed, md5Of(placeholderBytes(drawn)))).not.toBe(drawn);
      expect(isPlaceholderContent(placeholderBytes(drawn))).toBe(true);
    }
  });

  it('INV-26: are used only where a PUT compares and the ETag tells them', () => {
    const usable = SERVERS.filter(([, manners]) => isPlaceholderUsable(abilitiesOf(manners))).map(([name]) => name);
    expect(usable).toEqual(['AWS', 'Ceph']);
  });
});

describe('removing under a placeholder', () => {
  it('removes the version expected, and no other', async () => {
    const { bucket, machine } = open();
    const { etag } = bucket.put(KEY, 'old');
    bucket.put(KEY, 'theirs');
    expect(await placeholderDelete(machine.context, KEY, etag)).toBe('stale');
    expect(bucket.text(KEY)).toBe('theirs');
    expect(await placeholderDelete(machine.context, KEY, bucket.current(KEY)!.etag)).toBe('done');
    expect(bucket.keys()).toEqual([]);
    expect(await placeholderDelete(machine.context, KEY, etag)).toBe('stale');
  });

  it('INV-18: a lost reply at any moment ends with the object gone, or the name in transition', async () => {
    for (let number = 1; number <= 2; number += 1) {
      for (const lost of [new LostReply(), unreachable()]) {
        const { bucket, machine } = open();
        const { etag } = bucket.put(KEY, 'old');
        machine.api.hook = at(number, 'after', () => { throw lost; });
        expect(await placeholderDelete(machine.context, KEY, etag)).toBe('done');
        expect(bucket.keys()).toEqual([]);
        expect(machine.api.calls.filter((call) => call.startsWith('deleteObject'))).toHaveLength(1);
      }
    }
  });

  it('INV-5: does not ask twice for the removal: the name may have been taken since', async () => {
    const { bucket, machine } = open();
    const { etag } = bucket.put(KEY, 'old');
    machine.api.hook = ({ method, moment }) => {
      if (method !== 'deleteObject' || moment !== 'after') return;
      bucket.put(KEY, 'theirs');
      throw new LostReply();
    };
    expect(await placeholderDelete(machine.context, KEY, etag)).toBe('done');
    expect(bucket.text(KEY)).toBe('theirs');
  });

  it('leaves the name in transition when it is not known whether the request arrived', async () => {
    const { bucket, machine } = open();
    const { etag } = bucket.put(KEY, 'old');
    machine.api.hook = ({ method, moment }) => { if (method === 'deleteObject' && moment === 'before') throw unreachable(); };
    await expect(placeholderDelete(machine.context, KEY, etag)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(isTransition(bucket)).toBe(true);
    expect(await placeholderDelete(machine.context, KEY, etag)).toBe('stale');
  });

  it('a machine that slept for long asks for the name again before it acts', async () => {
    for (const sleep of [async (clock: Machine['clock']) => clock.advance(11_000), async (clock: Machine['clock']) => clock.stepWall(3_600_000), async (clock: Machine['clock']) => clock.stepWall(-1)]) {
      const { bucket, machine, clock } = open();
      const { etag } = bucket.put(KEY, 'old');
      machine.api.hook = async ({ number, moment }) => { if (number === 1 && moment === 'after') await sleep(clock); };
      expect(await placeholderDelete(machine.context, KEY, etag)).toBe('done');
      expect(machine.api.calls).toEqual([`putObject ${KEY}`, `putObject ${KEY}`, `deleteObject ${KEY}`]);
      expect(bucket.keys()).toEqual([]);
    }
  });

  it('INV-5: a machine that slept until others took the name over touches nothing of theirs', async () => {
    const { bucket, machine, clock } = open();
    const other = openMachine(bucket, { clock, name: 'other' });
    const { etag } = bucket.put(KEY, 'old');
    machine.api.hook = async ({ number, moment }) => {
      if (number !== 1 || moment !== 'after') return;
      await clock.advance(LEFTOVER_AGE_MS + 2000);
      expect(await clearStalePlaceholder(other.context, KEY)).toBe('cleared');
      const content = Buffer.from('theirs');
      await writeObject(other.context, { key: KEY, content, sha256: sha256Of(content), attributes: { mtimeMs: 1 }, expected: undefined });
    };
    expect(await placeholderDelete(machine.context, KEY, etag)).toBe('done');
    expect(bucket.text(KEY)).toBe('theirs');
  });
});

describe('copying under a placeholder', () => {
  it('creates where nothing is, and takes no name that is taken', async () => {
    const { bucket, machine } = open();
    const source = bucket.put('source', 'content');
    expect(await copy(machine, bucket)).toMatchObject({ kind: 'done', etag: source.etag });
    expect(bucket.text(KEY)).toBe('content');
    expect(await copy(machine, bucket)).toEqual({ kind: 'stale' });
  });

  it('INV-18: a lost reply at any moment leads to neither a second copy nor a conflict', async () => {
    for (let number = 1; number <= 3; number += 1) {
      for (const lost of [new LostReply(), unreachable()]) {
        const { bucket, machine } = open();
        bucket.put('source', 'content');
        machine.api.hook = at(number, 'after', () => { throw lost; });
        const outcome = await copy(machine, bucket);
        expect([number, outcome.kind, bucket.text(KEY)]).toEqual([number, 'done', 'content']);
        expect(machine.api.calls.filter((call) => call.startsWith('copyObject'))).toHaveLength(1);
      }
    }
  });

  it('frees the name when the source is another version by now, or the server refuses', async () => {
    for (const disturb of [(bucket: MemoryBucket) => void bucket.put('source', 'changed'), (): void => { throw new S3Error('permission-denied', 'not allowed', { status: 403, isRetryable: false }); }]) {
      const { bucket, machine } = open();
      bucket.put('source', 'content');
      machine.api.hook = ({ method, moment }) => { if (method === 'copyObject' && moment === 'before') disturb(bucket); };
      const outcome = await copy(machine, bucket).catch((error: unknown) => error);
      expect(outcome).toMatchObject(bucket.text('source') === 'changed' ? { kind: 'source-stale' } : { kind: 'permission-denied' });
      expect(bucket.keys()).toEqual(['source']);
    }
  });

  it('INV-6: a crash at any moment leaves nothing, the whole copy, or a name that is cleared later', async () => {
    for (let number = 1; number <= 3; number += 1) {
      for (const moment of MOMENTS) {
        const { bucket, machine, clock } = open();
        bucket.put('source', 'content');
        machine.api.hook = dieAt(number, moment);
        await copy(machine, bucket).catch(() => undefined);
        expect([undefined, 'content'].includes(bucket.text(KEY)) || isTransition(bucket)).toBe(true);
        const other = openMachine(bucket, { clock, name: 'other' });
        const before = bucket.text(KEY);
        if (isTransition(bucket)) {
          expect(await clearStalePlaceholder(other.context, KEY)).toBe('fresh');
          await clock.advance(LEFTOVER_AGE_MS + 1000);
          expect(await clearStalePlaceholder(other.context, KEY)).toBe('cleared');
          expect(bucket.text(KEY)).toBeUndefined();
        } else {
          expect(await clearStalePlaceholder(other.context, KEY)).toBe('gone');
          expect(bucket.text(KEY)).toBe(before);
        }
      }
    }
  });
});

describe('clearing a leftover', () => {
  async function leftover(): Promise<ReturnType<typeof open>> {
    const opened = open();
    opened.bucket.put(KEY, placeholderBytes(5));
    await opened.clock.advance(LEFTOVER_AGE_MS + 1000);
    return opened;
  }

  it('INV-5: is won by one of two machines, and the other deletes nothing, at whatever moment it comes', async () => {
    for (let number = 1; number <= 3; number += 1) {
      for (const moment of MOMENTS) {
        const { bucket, machine, clock } = await leftover();
        const other = openMachine(bucket, { clock, name: 'other' });
        let others: unknown;
        machine.api.hook = async (call) => {
          if (call.number !== number || call.moment !== moment) return;
          others = await clearStalePlaceholder(other.context, KEY);
          if (others !== 'cleared') return;
          const content = Buffer.from('theirs');
          await writeObject(other.context, { key: KEY, content, sha256: sha256Of(content), attributes: { mtimeMs: 1 }, expected: undefined });
        };
        const ours = await clearStalePlaceholder(machine.context, KEY);
        expect([ours, others].filter((outcome) => outcome === 'cleared')).toHaveLength(1);
        expect(bucket.text(KEY)).toBe(others === 'cleared' ? 'theirs' : undefined);
      }
    }
  });

  it('INV-22: waits when the server does not tell the time', async () => {
    const { bucket, clock } = openBucket({ ...CEPH, tellsTime: false });
    bucket.put(KEY, placeholderBytes(5));
    await clock.advance(10 * LEFTOVER_AGE_MS);
    expect(await clearStalePlaceholder(openMachine(bucket, { clock }).context, KEY)).toBe('fresh');
  });

  it('touches no file, and nothing that is gone', async () => {
    const { bucket, machine } = open();
    bucket.put(KEY, 'file');
    expect(await clearStalePlaceholder(machine.context, KEY)).toBe('gone');
    expect(await clearStalePlaceholder(machine.context, 'missing')).toBe('gone');
    expect(bucket.text(KEY)).toBe('file');
  });
});
