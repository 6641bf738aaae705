import { describeReadOnlyBackend, describeStorageBackend } from '@wl/ports/testing';

import { openMemoryBackend } from './testing/open-memory-backend.js';

describeStorageBackend('MemoryBackend', () => openMemoryBackend({}, { copiesWithin: true }));
describeStorageBackend('MemoryBackend with coarse timestamps', () => openMemoryBackend({ timestampGranularityMs: 10 }, { copiesWithin: true, batchSize: 1000 }));
describeStorageBackend('MemoryBackend blind to case', () => openMemoryBackend({ isCaseSensitive: false }, { copyWithinBytes: 1 }));
describeStorageBackend('MemoryBackend without empty directories', () => openMemoryBackend({ keepsEmptyDirectories: false }, { keepsHashes: true, copiesWithin: true, copyWithinBytes: 1 }));
describeReadOnlyBackend('MemoryBackend', () => openMemoryBackend({}, { isReadOnly: true }));
