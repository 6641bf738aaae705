/**
 * What is true of Ceph's radosgw 16.2, as sentences in raw signed HTTP. The model of it
 * (`startS3Server({ preset: 'ceph' })`) and the real server are both held to them: a model that
 * lies would be a lie in everything that is tested against it.
 */

import { afterAll, beforeAll, beforeEach, describe } from '@jest/globals';

import { type Connect, Facts, type FactsConnection } from './facts.js';
import { describeParts } from './facts-of-parts.js';
import { describeListings, describeReads, describeSignatures, describeVersions } from './facts-of-reads.js';
import { describeContent, describeCopies, describeDeletes, describePuts, describeRaces } from './facts-of-writes.js';

/** Holds a server to the facts; `raceRounds` of each race. */
export function describeS3Server(name: string, connect: Connect, raceRounds = 50): void {
  describe(`${name} as radosgw 16.2`, () => {
    let connection: FactsConnection | undefined;
    let plain: Facts;
    let versioned: Facts;

    beforeAll(async () => {
      connection = await connect();
      await makeBuckets(connection);
    });

    beforeEach(() => {
      if (connection === undefined) throw new Error('there is no server to ask');
      plain = new Facts(connection.client, connection.bucket);
      versioned = new Facts(connection.client, connection.versionedBucket);
    });

    afterAll(async () => {
      connection?.client.close();
      await connection?.close();
    });

    describe('putting', () => describePuts(() => plain));
    describe('checking content', () => describeContent(() => plain));
    describe('deleting', () => describeDeletes(() => plain));
    describe('copying', () => describeCopies(() => plain));
    describe('uploading in parts', () => describeParts(() => plain));
    describe('reading', () => describeReads(() => plain));
    describe('listing', () => describeListings(() => plain));
    describe('keeping versions', () => describeVersions(() => versioned));
    describe('checking signatures', () => describeSignatures(() => plain));
    describe('deciding races', () => describeRaces(() => plain, raceRounds));
  });
}

async function makeBuckets({ client, bucket, versionedBucket }: FactsConnection): Promise<void> {
  await client.send({ method: 'PUT', bucket });
  await client.send({ method: 'PUT', bucket: versionedBucket });
  const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
  await client.send({ method: 'PUT', bucket: versionedBucket, query: { versioning: '' }, body });
}
