import { describeStorageBackend } from '@wl/ports/testing';

import { openOnTestServer } from './testing/open-test-server.js';

describeStorageBackend('S3Backend on a versioned bucket of Ceph', () => openOnTestServer({ preset: 'ceph', versioned: true }));
