import { describeReadOnlyBackend, describeStorageBackend } from '@wl/ports/testing';

import { openMemoryBackend } from './testing/open-memory-backend.js';

describeStorageBackend('MemoryBackend', () => openMemoryBackend({}, { copiesWithin: true }));
describeStorageBackend('MemoryBackend with coarse timestamps', () => openMemoryBackend({ timestampGranularityMs: 10 }, { copiesWithin: true, batchSize: 1000 }));
describeStorageBackend('MemoryBackend with whole files', () => openMemoryBackend({}, { hasWholeFiles: true }));
describeStorageBackend('MemoryBackend with whole files and coarse timestamps', () => openMemoryBackend({ timestampGranularityMs: 10 }, { hasWholeFiles: true, keepsHashes: true, batchSize: 1000, chunkBytes: 1000 }));
describeStorageBackend('MemoryBackend blind to case', () => openMemoryBackend({ isCaseSensitive: false }, { copyWithinBytes: 1 }));
describeStorageBackend('MemoryBackend without empty directories', () => openMemoryBackend({ keepsEmptyDirectories: false }, { keepsHashes: true, copiesWithin: true, copyWithinBytes: 1 }));
describeReadOnlyBackend('MemoryBackend', () => openMemoryBackend({}, { isReadOnly: true }));
