import { describeStorageBackend } from '@wl/ports/testing';

import { openOnTestServer } from './testing/open-test-server.js';

describeStorageBackend('S3Backend on Ceph', () => openOnTestServer({ preset: 'ceph' }));
