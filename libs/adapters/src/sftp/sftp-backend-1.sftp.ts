/** A part of the driver's conformance: see `sftp-backend.sftp.ts`. */

import { describeStorageBackend } from '@wl/ports/testing';

import { openSftp, serverFromEnv } from './testing/open-sftp.js';

const server = serverFromEnv(process.env);

describeStorageBackend('SftpBackend on OpenSSH', () => openSftp(server), { part: 1, of: 4 });
