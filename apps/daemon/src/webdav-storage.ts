/** From the parameters of a WebDAV storage to what its driver takes; what does not fit is told in a sentence. */

import { deterministicBackendId, webdavUrlOf } from '@wl/adapters/manifests';
import type { WebdavParams } from '@wl/adapters/webdav';
import { WildlandError } from '@wl/engine';
import type { StorageParams } from '@wl/ports/schemas';

/** What the driver is made from. Throws `WildlandError`. */
export function toWebdavParams(params: StorageParams): WebdavParams {
  const url = webdavUrlOf(params);
  if (!url.ok) throw new WildlandError(url.error.message);
  const credentials = credentialsOf(params);
  return {
    backendId: params['backend-id'] ?? deterministicBackendId(params),
    url: url.value,
    readOnly: params['read-only'] ?? false,
    ...(credentials !== undefined && { credentials }),
  };
}

function credentialsOf(params: StorageParams): WebdavParams['credentials'] {
  const given = params['credentials'];
  if (given === undefined || given === null) return undefined;
  const { login, password } = given as Readonly<Record<string, unknown>>;
  if (typeof login === 'string' && typeof password === 'string') return { login, password };
  throw new WildlandError('the credentials of a WebDAV storage are a login and a password');
}
