/** What a WebDAV server's answers mean, in the port's words. */

import type { BackendError, BackendErrorCode } from '@wl/ports';

import { damaged, failure, type Concern } from '../remote/failing.js';

export { damaged, failure, type Concern };

interface Meaning {
  readonly code: BackendErrorCode;
  readonly says: string;
  readonly isRetryable?: boolean;
}

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  401: { code: 'unauthorized', says: 'the server does not accept login and password' },
  403: { code: 'permission-denied', says: 'the server does not allow it' },
  404: { code: 'not-found', says: 'nothing of that name is there' },
  405: { code: 'unsupported', says: 'the server does not do that here; is it a WebDAV folder?' },
  407: { code: 'unauthorized', says: 'a proxy wants credentials' },
  409: { code: 'not-found', says: 'the directory above is not there' },
  413: { code: 'unsupported', says: 'the file is larger than the server takes' },
  414: { code: 'name-not-representable', says: 'the name is longer than the server takes' },
  423: { code: 'io-error', says: 'somebody has locked it', isRetryable: true },
  429: { code: 'throttled', says: 'the server asks for fewer requests', isRetryable: true },
  501: { code: 'unsupported', says: 'the server cannot do this' },
  502: { code: 'unreachable', says: 'a proxy got no answer from the server', isRetryable: true },
  503: { code: 'unreachable', says: 'the server is overloaded or in maintenance', isRetryable: true },
  504: { code: 'unreachable', says: 'a proxy got no answer from the server', isRetryable: true },
  507: { code: 'no-space', says: 'the server is full' },
};

/** A status that is no success, as an error. */
export function statusFailure(status: number, concern: Concern): BackendError {
  const meaning = BY_STATUS[status] ?? (status >= 300 && status < 400 ? MOVED : { code: 'io-error', says: 'the server could not do it', isRetryable: status >= 500 });
  return failure(meaning.code, concern, `${meaning.says}, ${String(status)}`, meaning.isRetryable);
}

const MOVED: Meaning = { code: 'unsupported', says: 'the server sends elsewhere; check the url of this storage' };
