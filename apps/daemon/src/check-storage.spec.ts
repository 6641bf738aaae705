import { describe, expect, it } from '@jest/globals';
import { MemoryBackend, MemoryTree } from '@wl/adapters/memory';
import { BackendError, type StorageBackend, type Watcher } from '@wl/ports';
import { ManualClock } from '@wl/ports/testing';

import { CHECK_LIMIT_MS, storageChecker } from './check-storage.js';

const PARAMS = { type: 'memory' };
const WORKS = [{ ability: 'list', outcome: 'works' as const, detail: 'three pages' }];

function opened(change: (backend: MemoryBackend) => Partial<StorageBackend> = () => ({})) {
  const clock = new ManualClock();
  const backend = new MemoryBackend(new MemoryTree({ id: 'tree', clock }), { backendId: 'two' });
  let closed = 0;
  const storage: StorageBackend = Object.assign(backend, change(backend));
  const close = storage.close.bind(storage);
  storage.close = () => {
    closed += 1;
    return close();
  };
  const watcher: Watcher = { description: 'every 30 s', start: () => Promise.resolve(), stop: () => Promise.resolve() };
  const check = storageChecker({ createStorage: () => storage, watch: () => watcher, clock });
  return { check: (signal = new AbortController().signal) => check(PARAMS, signal), clock, closes: () => closed };
}

describe('the check of a storage', () => {
  it('tells what the storage tried, and how changes are noticed', async () => {
    const { check, closes } = opened(() => ({ check: () => Promise.resolve(WORKS) }));
    expect(await check()).toEqual([...WORKS, { ability: 'notice changes', outcome: 'works', detail: 'every 30 s' }]);
    expect(closes()).toBe(1);
  });

  it('tells what is known of one that tries nothing', async () => {
    const { check } = opened();
    const abilities = await check();
    expect(abilities.map(({ ability, outcome }) => `${ability}: ${outcome}`)).toEqual([
      'open: works',
      'write: works',
      'replace only if unchanged: works',
      'remove only if unchanged: works',
      'trash: works',
      'upper and lower case: works',
      'empty directories: works',
      'notice changes: works',
    ]);
    for (const { detail } of abilities) expect(detail).not.toBe('');
  });

  it('INV-26: tells of every downgrade', async () => {
    const { check } = opened((backend) => ({ capabilities: { ...backend.capabilities, replace: 'window', hasTrash: false, notes: ['A sentence.'] } }));
    const missing = (await check()).filter(({ outcome }) => outcome === 'missing');
    expect(missing.map(({ ability }) => ability)).toEqual(['replace only if unchanged', 'trash', 'note']);
    expect(missing.at(-1)?.detail).toBe('A sentence.');
  });

  it('does not speak of writing where nothing is written', async () => {
    const { check } = opened((backend) => ({ capabilities: { ...backend.capabilities, isReadOnly: true } }));
    const abilities = (await check()).map(({ ability }) => ability);
    expect(abilities).not.toContain('replace only if unchanged');
    expect(abilities).not.toContain('trash');
  });

  it('gives the reason why a storage cannot be used, and closes it', async () => {
    const error = new BackendError('unauthorized', { operation: 'list', retryable: false }, { explanation: 'the key is not known' });
    const { check, closes } = opened(() => ({ check: () => Promise.reject(error) }));
    await expect(check()).rejects.toThrow('Storage two at /memory/tree cannot be used: unable to list: unauthorized (the key is not known)');
    await expect(check()).rejects.toMatchObject({ name: 'WildlandError' });
    expect(closes()).toBe(2);
  });

  it('does not wait for ever', async () => {
    let stopped = 0;
    const { check, clock, closes } = opened(() => ({
      open: (signal) =>
        new Promise(() => {
          signal?.addEventListener('abort', () => (stopped += 1));
        }),
    }));
    const checked = expect(check()).rejects.toThrow('did not answer within 120 s');
    await clock.advance(CHECK_LIMIT_MS);
    await checked;
    expect([stopped, closes(), clock.sleeping]).toEqual([1, 1, 0]);
  });

  it('stops when nobody waits for it any more', async () => {
    const gone = new AbortController();
    const { check, closes, clock } = opened(() => ({
      check: (signal) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new BackendError('cancelled', { operation: 'check', retryable: false })));
        }),
    }));
    const checked = expect(check(gone.signal)).rejects.toThrow('cancelled');
    await clock.advance(1);
    gone.abort();
    await checked;
    expect([closes(), clock.sleeping]).toEqual([1, 0]);
  });
});
