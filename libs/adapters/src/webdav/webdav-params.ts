/** What the driver of a WebDAV storage is made from. */

import type { Clock } from '@wl/ports';

/** Which folder of which server, as whom. */
export interface WebdavParams {
  readonly backendId: string;
  /** `http(s)://host[:port]/path`, without credentials. */
  readonly url: string;
  readonly credentials?: { readonly login: string; readonly password: string };
  readonly readOnly?: boolean;
}

/** What the driver works with. */
export interface WebdavHost {
  readonly clock: Clock;
  /** For proxies. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long replaced and removed versions are kept, in days; default 30. */
  readonly trashRetentionDays?: number;
}
