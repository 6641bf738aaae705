/** The driver against OpenSSH's server. The suite is told in four parts, which wait for seconds to pass side by side. */

import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeReadableBackend, describeReadOnlyBackend, describeStorageBackend } from '@wl/ports/testing';

import { openSftp, serverFromEnv } from './testing/open-sftp.js';
import { OwnServer } from './testing/own-server.js';

const server = serverFromEnv(process.env);

describeStorageBackend('SftpBackend on OpenSSH', () => openSftp(server), { part: 0, of: 4 });
describeReadOnlyBackend('SftpBackend on OpenSSH', () => openSftp(server, { readOnly: true }));

describe('where the server has not all rights', () => {
  let own: OwnServer;
  beforeAll(async () => {
    own = await OwnServer.start({ asNobody: true });
  });
  afterAll(() => own.close());
  describeReadableBackend('SftpBackend on OpenSSH', () => openSftp(own.server));
});
