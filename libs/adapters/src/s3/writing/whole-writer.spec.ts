/** Small files in bulk. */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath, type Token } from '@wl/domain';
import type { WholeWrite } from '@wl/ports';

import { S3Error } from '../s3-error.js';
import { openBucket, openMachine } from '../testing/open-writing.js';

import { sha256Of } from './digests.js';
import { createWholeWriter } from './whole-writer.js';

function request(path: string, text: string, expected?: string): WholeWrite {
  const content = Buffer.from(text);
  return { path: toRelativePath(path), expected: expected as Token | undefined, content, sha256: sha256Of(content), attributes: { mtimeMs: 1 } };
}

describe('writing small files in bulk', () => {
  it('INV-16: answers each in order; what fails or is stale stops no other', async () => {
    const { bucket } = openBucket();
    const { context, api } = openMachine(bucket, { prefix: 'p/' });
    const old = bucket.put('p/taken', 'theirs').etag;
    bucket.put('p/old', 'old');
    api.hook = ({ key, method }) => {
      if (key === 'p/forbidden' && method === 'putObject') throw new S3Error('permission-denied', 'not allowed', { status: 403, isRetryable: false });
    };
    const oldTag = bucket.current('p/old')!.etag;
    const outcomes = await createWholeWriter(context).write([
      request('new', 'ours'),
      request('taken', 'ours'),
      request('forbidden', 'ours'),
      request('old', 'newer', `${oldTag}:3`),
      request('taken', 'ours', `${oldTag}:3`),
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['written', 'stale', 'failed', 'written', 'stale']);
    expect(outcomes[0]).toEqual({ kind: 'written', token: `${bucket.current('p/new')!.etag}:4`, isRacy: false });
    expect(outcomes[2]).toMatchObject({ error: { code: 'permission-denied', details: { operation: 'replace', path: 'forbidden', retryable: false } } });
    expect([bucket.text('p/old'), bucket.current('p/taken')!.etag]).toEqual(['newer', old]);
  });

  it('INV-40: sends so many requests at once and no more', async () => {
    const { bucket } = openBucket();
    const { context, api } = openMachine(bucket, { atOnce: 3 });
    let [running, most] = [0, 0];
    api.hook = async ({ moment }) => {
      running += moment === 'before' ? 1 : -1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
    };
    const writer = createWholeWriter(context);
    const some = (from: number): WholeWrite[] => Array.from({ length: 20 }, (_, index) => request(`file${String(from + index)}`, 'content'));
    await Promise.all([writer.write(some(0)), writer.write(some(20))]);
    expect(bucket.keys()).toHaveLength(40);
    expect(most).toBe(3);
  });

  it('rejects when it is stopped, and only once nothing is under way', async () => {
    const { bucket } = openBucket();
    const { context, api } = openMachine(bucket, { atOnce: 2 });
    const stop = new AbortController();
    let running = 0;
    api.hook = async ({ moment }) => {
      running += moment === 'before' ? 1 : -1;
      await new Promise((resolve) => setImmediate(resolve));
      stop.abort();
    };
    const requests = Array.from({ length: 10 }, (_, index) => request(`file${String(index)}`, 'content'));
    await expect(createWholeWriter(context).write(requests, stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(running).toBe(0);
    expect(bucket.keys().length).toBeLessThanOrEqual(2);
  });
});
