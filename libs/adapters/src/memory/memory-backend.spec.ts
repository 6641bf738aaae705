import { describe, expect, it } from '@jest/globals';
import { describeReadOnlyBackend, describeStorageBackend, ManualClock } from '@wl/ports/testing';

import { MemoryBackend } from './memory-backend.js';
import { MemoryTree } from './memory-tree.js';
import { openMemoryBackend } from './testing/open-memory-backend.js';

describeStorageBackend('MemoryBackend', () => openMemoryBackend({}, { copiesWithin: true }));
describeStorageBackend('MemoryBackend with coarse timestamps', () => openMemoryBackend({ timestampGranularityMs: 10 }, { copiesWithin: true, batchSize: 1000 }));
describeStorageBackend('MemoryBackend with whole files', () => openMemoryBackend({}, { hasWholeFiles: true }));
describeStorageBackend('MemoryBackend with whole files and coarse timestamps', () => openMemoryBackend({ timestampGranularityMs: 10 }, { hasWholeFiles: true, keepsHashes: true, batchSize: 1000, chunkBytes: 1000 }));
describeStorageBackend('MemoryBackend blind to case', () => openMemoryBackend({ isCaseSensitive: false }, { copyWithinBytes: 1 }));
describeStorageBackend('MemoryBackend without empty directories', () => openMemoryBackend({ keepsEmptyDirectories: false }, { keepsHashes: true, copiesWithin: true, copyWithinBytes: 1 }));
describeReadOnlyBackend('MemoryBackend', () => openMemoryBackend({}, { isReadOnly: true }));

describe('a MemoryBackend whose volume is out', () => {
  it('answers two that open it at once with the same reason', async () => {
    const clock = new ManualClock();
    const tree = new MemoryTree({ id: 'out', clock });
    const backend = new MemoryBackend(tree, { backendId: 'out' });
    tree.unmount('nothing');
    const first = backend.open();
    backend.faults.delay('open', 10);
    const outcomes = await clock.runUntil(Promise.allSettled([first, backend.open()]));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'BackendError', code: 'not-found' } });
  });
});
