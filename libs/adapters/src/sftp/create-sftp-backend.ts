/** Puts the driver for one SFTP storage together. Nothing is sent before the storage is opened. */

import type { StorageBackend } from '@wl/ports';

import { Connection } from './connection.js';
import { connector, type Connect } from './connector.js';
import { SftpApi } from './sftp-api.js';
import { SftpBackend } from './sftp-backend.js';
import type { SftpHost, SftpParams } from './sftp-params.js';
import { VersionClock } from './version.js';

const TRASH_RETENTION_DAYS = 30;

/** `connect` is for tests. */
export function createSftpBackend(params: SftpParams, host: SftpHost, connect: Connect = connector(params, host)): StorageBackend {
  const { clock, trashRetentionDays = TRASH_RETENTION_DAYS } = host;
  const versions = new VersionClock(clock);
  const base = baseOf(params.path);
  const name = params.host.includes(':') ? `[${params.host.toLowerCase()}]` : params.host.toLowerCase();
  const server = params.port === 22 ? name : `${name}:${String(params.port)}`;
  return new SftpBackend({
    backendId: params.backendId,
    isReadOnly: params.readOnly ?? false,
    server,
    display: `sftp://${params.login}@${server}${base.startsWith('/') ? base : base === '.' ? '/~' : `/~/${base}`}`,
    api: new SftpApi(new Connection(connect, clock), base, versions),
    versions,
    clock,
    trashRetentionDays,
  });
}

/** Without slashes at the end; `.` is the login's home. */
function baseOf(path: string): string {
  const base = path.replace(/\/+$/, '');
  return base === '' ? (path.startsWith('/') ? '/.' : '.') : base;
}
