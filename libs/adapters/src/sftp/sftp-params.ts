/** What the driver of an SFTP storage is made from. */

import type { Clock } from '@wl/ports';

/** Which folder of which server, as whom. */
export interface SftpParams {
  readonly backendId: string;
  /** Name or address. */
  readonly host: string;
  readonly port: number;
  readonly login: string;
  /** Of the folder; one that does not begin with `/` begins at the login's home. */
  readonly path: string;
  /** Absolute path of a private key file on this machine. */
  readonly identity?: string;
  /** Of that file, where it is encrypted. */
  readonly passphrase?: string;
  readonly password?: string;
  /** Fingerprint of the server's key, `SHA256:…`. Without it known_hosts files decide. */
  readonly hostKey?: string;
  readonly readOnly?: boolean;
}

/** What the driver works with. */
export interface SftpHost {
  readonly clock: Clock;
  /** `SSH_AUTH_SOCK` for the agent, `HOME` for known_hosts. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long replaced and removed versions are kept, in days; default 30. */
  readonly trashRetentionDays?: number;
}
