/** The model of Ceph agrees with Ceph (see `real-server.s3.ts` for the other side). */

import { describeS3Server } from './describe-s3-server.js';
import { startS3Server } from './index.js';
import { openRawClient } from './signed-request.js';

/** The model decides in one step by construction; the real server's races are run longer. */
const raceRounds = 10;

describeS3Server('the model', async () => {
  const server = await startS3Server({ preset: 'ceph', buckets: [] });
  const { accessKey, secretKey, region } = server;
  return {
    client: openRawClient({ endpoint: server.endpointUrl, accessKey, secretKey, region }),
    bucket: 'facts',
    versionedBucket: 'facts-versioned',
    close: () => server.close(),
  };
}, raceRounds);
