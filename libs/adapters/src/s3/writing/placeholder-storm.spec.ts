/**
 * INV-5, INV-17: machines that create, replace, copy and remove the same few objects at once, on a
 * server that compares for a `PUT` alone, with answers that are lost or late by minutes. No version
 * vanishes except by an operation that expected it, and no two operations replaced the same one.
 */

import { describe, expect, it } from '@jest/globals';

import { CEPH, type MemoryBucket } from '../testing/memory-bucket.js';
import { openBucket, openMachine, type Machine } from '../testing/open-writing.js';
import { randomFrom, Schedule } from '../testing/schedule.js';

import { md5Of, sha256Of } from './digests.js';
import { propertiesFor } from './object-properties.js';
import { clearStalePlaceholder, placeholderCopy, placeholderDelete } from './placeholder-steps.js';
import { isPlaceholder } from './placeholder.js';
import { writeObject } from './write-object.js';

const KEYS = ['one', 'two'];
const MACHINES = 3;
const OPERATIONS = 12;
const ROUNDS = Number(process.env['WL_STORM_ROUNDS'] ?? 60);
const FIRST_SEED = Number(process.env['WL_STORM_SEED'] ?? 1);

interface Operation {
  readonly key: string;
  readonly expected: string | undefined;
  /** ETag that it gives the object; `undefined`: it removes it. */
  readonly writes: string | undefined;
  outcome: 'done' | 'stale' | 'overtaken' | 'failed';
}

/** One operation on what is seen now. */
async function operate(machine: Machine, bucket: MemoryBucket, random: () => number, text: string): Promise<Operation | undefined> {
  const key = KEYS[Math.floor(random() * KEYS.length)]!;
  const { context } = machine;
  const seen = bucket.current(key);
  if (seen !== undefined && isPlaceholder(seen.etag, seen.content.length)) {
    await clearStalePlaceholder(context, key).catch(() => undefined);
    return undefined;
  }
  const content = Buffer.from(text);
  const expected = seen?.etag;
  const kind = random();
  if (expected !== undefined && kind < 0.5) return settled({ key, expected, writes: undefined }, placeholderDelete(context, key, expected));
  if (expected === undefined && kind < 0.5) {
    const source = bucket.put(`source of ${text}`, text);
    const writeId = context.newId();
    const properties = propertiesFor(key, { attributes: { mtimeMs: 1 }, sha256: sha256Of(content), etag: source.etag, writeId });
    const copy = { source: { key: `source of ${text}`, etag: source.etag }, key, properties, writeId, sizeBytes: content.length };
    return settled({ key, expected, writes: source.etag }, placeholderCopy(context, copy).then(({ kind }) => (kind === 'done' ? 'done' : 'stale')));
  }
  const write = { key, content, sha256: sha256Of(content), attributes: { mtimeMs: 1 }, expected };
  return settled({ key, expected, writes: md5Of(content) }, writeObject(context, write).then(({ kind }) => kind));
}

async function settled(operation: Omit<Operation, 'outcome'>, running: Promise<Operation['outcome']>): Promise<Operation> {
  return { ...operation, outcome: await running.catch(() => 'failed' as const) };
}

async function storm(seed: number): Promise<number> {
  const random = randomFrom(seed);
  const { bucket, clock } = openBucket(CEPH);
  const schedule = new Schedule(random, clock, { lost: 0.08, asleep: 0.1 });
  const operations: Operation[] = [];
  /**
   * All versions that ever were, by the server's own account, and how often each came: a creation whose
   * answer was lost is repeated, and creates again what others removed in between.
   */
  const shown = new Map<string, { readonly key: string; times: number }>();
  const { store } = bucket;
  bucket.store = (key, sent, properties, options) => {
    const version = store.call(bucket, key, sent, properties, options);
    if (KEYS.includes(key) && !isPlaceholder(version.etag, version.content.length)) shown.set(version.etag, { key, times: (shown.get(version.etag)?.times ?? 0) + 1 });
    return version;
  };
  const programs = Array.from({ length: MACHINES }, async (_, index) => {
    const machine = openMachine(bucket, { clock, name: `machine${String(index)}` });
    machine.api.hook = schedule.hook;
    for (let turn = 0; turn < OPERATIONS; turn += 1) {
      const operation = await operate(machine, bucket, random, `seed ${String(seed)} machine ${String(index)} turn ${String(turn)}`);
      if (operation === undefined) await clock.sleep(50_000);
      else operations.push(operation);
    }
  });
  await schedule.run(programs);

  for (const [etag, { key, times }] of shown) {
    // One that answered `stale` may have written before it was overtaken itself: then its own version was shown.
    const mayHaveReplaced = ({ outcome, writes }: Operation): boolean => outcome !== 'stale' || (writes !== undefined && shown.has(writes));
    const consumers = operations.filter((operation) => operation.key === key && operation.expected === etag && mayHaveReplaced(operation));
    const isThere = bucket.current(key)?.etag === etag;
    const sure = consumers.filter(({ outcome }) => outcome === 'done').length;
    expect([seed, etag, isThere || consumers.length > 0, sure + (isThere ? 1 : 0) <= times]).toEqual([seed, etag, true, true]);
  }
  // What is said to be written was there.
  for (const { writes, outcome } of operations) if (outcome === 'done' && writes !== undefined) expect([seed, shown.has(writes)]).toEqual([seed, true]);
  return operations.filter(({ outcome }) => outcome === 'done').length;
}

describe('machines that storm the same objects', () => {
  it(`INV-5, INV-17: lose no version in ${String(ROUNDS)} storms from seed ${String(FIRST_SEED)}`, async () => {
    let done = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed += 1) done += await storm(seed);
    // Most of them get something done.
    expect(done).toBeGreaterThan(ROUNDS * 5);
  });
});
