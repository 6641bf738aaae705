/** The driver on further kinds of servers, all of them in this process: what `npm test` has no time for. */

import { describeStorageBackend } from '@wl/ports/testing';

import { openOnTestServer } from './testing/open-test-server.js';

describeStorageBackend('S3Backend at the root of a bucket', () => openOnTestServer({ preset: 'ceph' }, { prefix: '' }));
describeStorageBackend('S3Backend on a versioned bucket', () => openOnTestServer({ preset: 'aws', versioned: true }));
describeStorageBackend('S3Backend on a server that ignores conditions', () => openOnTestServer({ preset: 'ignoring' }));
describeStorageBackend('S3Backend on a server that refuses conditions', () => openOnTestServer({ preset: 'refusing' }));
