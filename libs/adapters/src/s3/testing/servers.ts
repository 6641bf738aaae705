/** Tables for the tests of writers: all kinds of servers, and what is done at each request. */

import { AWS, CARELESS, CEPH, VERSIONED, type Manners } from './memory-bucket.js';
import { unreachable, type Call, type Hook } from './memory-s3-api.js';

/** Servers by name. */
export const SERVERS: readonly (readonly [name: string, manners: Manners])[] = [
  ['AWS', AWS],
  ['AWS with versions', { ...AWS, isVersioned: true }],
  ['Ceph', CEPH],
  ['Ceph with versions', VERSIONED],
  ['a server that tags by something else than MD5', { ...AWS, md5Tags: false }],
  ['a server that verifies nothing', { ...AWS, verifies: false, md5Tags: false, keepsChecksums: false }],
  ['a server that compares nothing', CARELESS],
  ['a server that compares for creations alone', { ...CARELESS, absent: true }],
];

/** Whether a server compares in one step, or keeps what was written in between as a version. */
export function losesNothing({ absent, match, isVersioned }: Manners): boolean {
  return isVersioned || (absent && match !== 'ignored');
}

/** Runs `act` at one moment of one request. */
export function at(number: number, moment: Call['moment'], act: () => void): Hook {
  return (call) => {
    if (call.number === number && call.moment === moment) act();
  };
}

/** The machine dies at this moment: nothing it sends afterwards arrives. */
export function dieAt(number: number, moment: Call['moment']): Hook {
  let isDead = false;
  return (call) => {
    isDead ||= call.number === number && call.moment === moment;
    if (isDead) throw unreachable();
  };
}
