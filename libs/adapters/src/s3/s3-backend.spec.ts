import { describeReadOnlyBackend, describeStorageBackend } from '@wl/ports/testing';

import { openOnTestServer } from './testing/open-test-server.js';

describeStorageBackend('S3Backend on a server that compares everything', () => openOnTestServer({ preset: 'aws' }));
describeStorageBackend('S3Backend on Ceph', () => openOnTestServer({ preset: 'ceph' }));
describeStorageBackend('S3Backend on Ceph at the root of a bucket', () => openOnTestServer({ preset: 'ceph' }, { prefix: '' }));
describeStorageBackend('S3Backend on a versioned bucket of Ceph', () => openOnTestServer({ preset: 'ceph', versioned: true }));
describeStorageBackend('S3Backend on a versioned bucket', () => openOnTestServer({ preset: 'aws', versioned: true }));
describeStorageBackend('S3Backend on a server that ignores conditions', () => openOnTestServer({ preset: 'ignoring' }));
describeStorageBackend('S3Backend on a server that refuses conditions', () => openOnTestServer({ preset: 'refusing' }));
describeReadOnlyBackend('S3Backend', () => openOnTestServer({ preset: 'aws' }, { params: { readOnly: true } }));
