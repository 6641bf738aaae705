/**
 * The sentences of `describe-s3-server.ts`, asked of a real radosgw:
 *
 *     WL_S3_ENDPOINT=http://host:port WL_S3_ACCESS_KEY=... WL_S3_SECRET_KEY=... \
 *       node --experimental-vm-modules node_modules/jest/bin/jest.js -c libs/adapters/jest.s3.config.mjs
 *
 * It makes the buckets `wl-facts` and `wl-facts-versioned` and leaves them behind.
 */

import { describeS3Server } from './describe-s3-server.js';
import { realServer } from './real-server.js';
import { openRawClient } from './signed-request.js';

describeS3Server('the real server', async () => ({
  client: openRawClient(realServer()),
  bucket: 'wl-facts',
  versionedBucket: 'wl-facts-versioned',
  close: () => Promise.resolve(),
}));
