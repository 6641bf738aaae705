import { describe, expect, it } from '@jest/globals';
import { MemoryBackend, MemoryTree } from '@wl/adapters/memory';
import type { Key, RelativePath } from '@wl/domain';
import type { Carriers, CopyFrom, CopyOutcome, CopyRequest, StorageBackend, SyncerDefinition } from '@wl/ports';
import { describeStorageBackend, ManualClock } from '@wl/ports/testing';

import { carriedStorage } from './carried-storage.js';
import { JobBench } from './testing/job-bench.js';

const NEVER = { sourceToken: 't', isSourceRacy: false, targetToken: 't', isTargetRacy: false, sha256: 'f'.repeat(64), sizeBytes: 1 };

/** A bench whose one-shot jobs carry content to the target by `carry`; `more`: what the carrier says of itself, and where it is from. */
function benchWith(carry: CopyFrom, more: Pick<Carriers, 'areVerified'> & Pick<SyncerDefinition, 'origin'> = {}): JobBench {
  const bench = new JobBench();
  const traits: SyncerDefinition['traits'] = {
    SYNCER_NAME: 'carrier', SOURCE_TYPES: ['memory'], TARGET_TYPES: ['memory'], CONTINUOUS: false, ONE_SHOT: true, UNIDIRECTIONAL: true, REQUIRES_MOUNT: false,
  };
  const { origin, ...said } = more;
  const carriers: Carriers = { toTarget: carry, ...said };
  bench.registry.register({ traits, ...(origin !== undefined && { origin }), create: ({ generic }) => generic!(carriers) });
  return bench;
}

/** Carries by doing `put` for each request and claiming success. */
function carrier(put: (request: CopyRequest) => void, claim: (request: CopyRequest) => CopyOutcome | undefined): CopyFrom {
  return async function* (_source, requests) {
    for (const [index, request] of requests.entries()) {
      put(request);
      const outcome = claim(request);
      if (outcome !== undefined) yield [{ index, outcome }];
    }
  } as CopyFrom;
}

const copied = (): CopyOutcome => ({ kind: 'copied', ...NEVER }) as unknown as CopyOutcome;

describe('content that a dedicated syncer carries', () => {
  it('arrives, and the baseline holds what the storages hold, whatever the carrier claimed', async () => {
    let carried = 0;
    const bench = benchWith(carrier(({ path }) => void ((carried += 1), bench.tree('b').write(path, bench.tree('a').text(path) ?? '')), copied));
    bench.tree('a').write('x', 'one');
    bench.tree('a').write('d/y', 'two');
    await bench.clock.advance(60_000);
    await bench.start({ continuous: false });
    await bench.clock.advance(1000);
    expect(bench.job()).toMatchObject({ state: 'SYNCED', syncer: 'carrier', files: 2, problems: [] });
    expect(bench.tree('b').text('d/y')).toBe('two');
    expect(carried).toBe(2);
  });

  it('INV-15, INV-27: is a problem where the target does not hold it, and no baseline is written', async () => {
    const bench = benchWith(carrier(({ path }) => bench.tree('b').write(path, 'damaged'), copied));
    bench.tree('a').write('x', 'content');
    await bench.start({ continuous: false });
    await bench.clock.advance(10_000);
    expect(bench.job()).toMatchObject({ files: 0 });
    // The next pass finds two versions and no baseline: nobody's is overwritten.
    await bench.manager.stop('0xaa|c1|b');
    await bench.start({ continuous: false, syncer: 'generic' });
    await bench.clock.advance(10_000);
    expect(bench.job().conflicts).toMatchObject([{ path: 'x' }]);
    expect(bench.tree('a').text('x')).toBe('content');
  });

  it.each([
    ['one that is built in and verifies by itself', undefined, NEVER.sha256],
    ['one from a plugin, whatever it says of itself', 'wl-fast@1.0.0', undefined],
  ])('INV-15: is believed of %s or looked at again', async (_who, origin, believed) => {
    const put = ({ path }: CopyRequest): void => bench.tree('b').write(path, bench.tree('a').text(path) ?? '');
    const bench: JobBench = benchWith(carrier(put, copied), { areVerified: true, ...(origin !== undefined && { origin }) });
    bench.tree('a').write('x', 'one');
    await bench.clock.advance(60_000);
    await bench.start({ continuous: false });
    await bench.clock.advance(1000);
    const row = bench.state.openPair({ scope: '0xaa|c1', sourceBackendId: 'a', targetBackendId: 'b' }).get('x' as Key);
    const hash = row?.kind === 'file' ? row.hash : undefined;
    expect(hash === NEVER.sha256 ? hash : undefined).toBe(believed);
    expect(hash).toBeDefined();
  });

  it('is a problem where the carrier forgets a file', async () => {
    const bench = benchWith(carrier(() => undefined, () => undefined));
    bench.tree('a').write('x', 'content');
    await bench.start({ continuous: false });
    await bench.clock.advance(10_000);
    expect(bench.job().problems).toMatchObject([{ path: 'x', message: expect.stringContaining('did not say what became of it') }]);
  });

  it('INV-5: a conflict is none of its business', async () => {
    let carried = 0;
    const bench = benchWith(carrier(() => void (carried += 1), copied));
    bench.tree('a').write('x', 'one');
    bench.tree('b').write('x', 'two');
    await bench.start({ continuous: false });
    await bench.clock.advance(1000);
    expect(bench.job().conflicts).toMatchObject([{ path: 'x' }]);
    expect(carried).toBe(0);
  });
});

it('a directory is made like that of the storage behind the other one', async () => {
  const clock = new ManualClock();
  const [from, to] = ['from', 'to'].map((id) => new MemoryBackend(new MemoryTree({ id, clock }), { backendId: id })) as [MemoryBackend, MemoryBackend];
  const likes: unknown[] = [];
  to.makeDirectory = (path, like?: StorageBackend) => {
    likes.push(path, like);
    return Promise.resolve({ ok: true, value: undefined });
  };
  const carrier: CopyFrom = () => undefined;
  await carriedStorage(to, carrier).makeDirectory('d' as RelativePath, carriedStorage(from, carrier));
  await carriedStorage(to, carrier).makeDirectory('e' as RelativePath);
  expect(likes).toEqual(['d', from, 'e', undefined]);
});

// What is wrapped is a storage like any other.
describeStorageBackend('a carried MemoryBackend', async () => {
  const clock = new ManualClock();
  const tree = new MemoryTree({ id: 'carried', clock });
  const backend = carriedStorage(new MemoryBackend(tree, { backendId: 'carried' }), () => undefined);
  await backend.open();
  return {
    backend,
    close: () => backend.close(),
    writeOutside: async (path, bytes) => tree.write(path, bytes),
    readOutside: async (path) => tree.read(path),
    removeOutside: async (path) => tree.remove(path),
    mkdirOutside: async (path) => tree.mkdir(path),
    renameOutside: async (from, to) => tree.rename(from, to),
    namesOutside: async () => tree.paths(),
    passTime: async (ms) => clock.advance(ms),
  };
});
