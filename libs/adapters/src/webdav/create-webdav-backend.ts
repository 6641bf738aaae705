/** Puts the driver for one WebDAV storage together. Nothing is sent before the storage is opened. */

import { BackendError, type StorageBackend } from '@wl/ports';

import { Transport } from '../http/transport.js';
import { davArea } from './area.js';
import { Authorization } from './authorization.js';
import { DavApi } from './dav-api.js';
import { DavClient } from './dav-client.js';
import { DavLocation } from './dav-location.js';
import { WebdavBackend } from './webdav-backend.js';
import type { WebdavHost, WebdavParams } from './webdav-params.js';

const TRASH_RETENTION_DAYS = 30;

/** Throws `BackendError` (`unsupported`) with a sentence for the user when the params name no folder. */
export function createWebdavBackend(params: WebdavParams, { clock, env, trashRetentionDays = TRASH_RETENTION_DAYS }: WebdavHost): StorageBackend {
  const location = DavLocation.parse(params.url);
  if (!location.ok) throw new BackendError('unsupported', { operation: 'use the storage', retryable: false }, { explanation: location.error });
  const client = new DavClient({ origin: location.value.origin, transport: new Transport(env), authorization: new Authorization(params.credentials), clock });
  const api = new DavApi(client, location.value);
  return new WebdavBackend({
    backendId: params.backendId,
    isReadOnly: params.readOnly ?? false,
    location: location.value,
    api,
    area: davArea(api, clock),
    clock,
    trashRetentionDays,
  });
}
