import { describeReadOnlyBackend, describeStorageBackend } from '@wl/ports/testing';

import { openOnTestServer } from './testing/open-test-server.js';

describeStorageBackend('S3Backend on a server that compares everything', () => openOnTestServer({ preset: 'aws' }));
describeReadOnlyBackend('S3Backend', () => openOnTestServer({ preset: 'aws' }, { params: { readOnly: true } }));
