/** From the parameters of an SFTP storage to what its driver takes; what does not fit is told in a sentence. */

import { userInfo } from 'node:os';

import { deterministicBackendId, isHostKeyFingerprint, sftpPlaceOf } from '@wl/adapters/manifests';
import type { SftpParams } from '@wl/adapters/sftp';
import { WildlandError } from '@wl/engine';
import type { StorageParams } from '@wl/ports/schemas';

/** What the driver is made from. Throws `WildlandError`. */
export function toSftpParams(params: StorageParams): SftpParams {
  const place = sftpPlaceOf(params);
  if (!place.ok) throw new WildlandError(place.error.message);
  const { host, port, path, login = userInfo().username } = place.value;
  const [passphrase, password, hostKey] = [text(params, 'passphrase'), text(params, 'passwd'), text(params, 'host-key')];
  if (hostKey !== undefined && !isHostKeyFingerprint(hostKey)) throw new WildlandError('the host-key of an SFTP storage is a fingerprint, SHA256:…, as `ssh-keygen -l` shows it');
  const identity = identityOf(params);
  return {
    backendId: params['backend-id'] ?? deterministicBackendId(params),
    ...{ host, port, login, path, readOnly: params['read-only'] ?? false },
    ...(identity !== undefined && { identity }),
    ...(passphrase !== undefined && { passphrase }),
    ...(password !== undefined && { password }),
    ...(hostKey !== undefined && { hostKey }),
  };
}

/** A file of this machine, which not everybody may name. */
function identityOf(params: StorageParams): string | undefined {
  const identity = text(params, 'identity');
  if (identity === undefined) return undefined;
  if (!identity.startsWith('/')) throw new WildlandError('the identity of an SFTP storage is the absolute path of a private key file');
  if (params['is-local-owner'] === false) {
    throw new WildlandError('the owner of this SFTP storage may not name files of this machine, as its identity is one: add the owner to local-owners in config.yaml if you trust it');
  }
  return identity;
}

function text(params: StorageParams, key: string): string | undefined {
  const value = params[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
