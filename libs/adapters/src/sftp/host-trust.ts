/**
 * Whether the server is who it is taken for. There is no way around it: a key that neither the
 * manifest names nor a known_hosts file holds ends the connection before anything was told to it.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { judgeKey, keyTypeOf, knownKeysOf, type KnownKey } from './known-hosts.js';
import type { SftpHost, SftpParams } from './sftp-params.js';

/** What is known of a server before it shows its key. */
export interface HostTrust {
  /** Algorithms of host keys to ask for, those of keys that are known first; `undefined`: any. */
  readonly algorithms: readonly string[] | undefined;
  /** `undefined` where the key is the server's; else what is wrong and what to do, for the user. */
  objection(key: Buffer): string | undefined;
}

/** All that the client knows, strongest first; SHA-1 is not among them. */
const ALGORITHMS = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256'];

/** Reads what is known of a server. Files that are not there know nothing. */
export async function loadHostTrust({ host, port, hostKey }: Pick<SftpParams, 'host' | 'port' | 'hostKey'>, env: SftpHost['env']): Promise<HostTrust> {
  if (hostKey !== undefined) return { algorithms: ALGORITHMS, objection: (key) => objectionToPinned(key, hostKey) };
  const files = [join(env['HOME'] ?? homedir(), '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'];
  const known: KnownKey[] = [];
  for (const file of files) known.push(...knownKeysOf(await readFile(file, 'utf8').catch(() => ''), host, port));
  const types = new Set(known.filter(({ isRevoked }) => !isRevoked).map(({ keyType }) => keyType));
  const isKnown = (algorithm: string): boolean => types.has(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  return {
    algorithms: [...ALGORITHMS.filter(isKnown), ...ALGORITHMS.filter((algorithm) => !isKnown(algorithm))],
    objection: (key) => objectionByFiles(key, known, { host, port }),
  };
}

/** As `ssh-keygen -l` shows it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function objectionToPinned(key: Buffer, hostKey: string): string | undefined {
  if (fingerprintOf(key) === hostKey.replace(/=+$/, '')) return undefined;
  return `the server shows the key ${describe(key)}, which is not the host-key of this storage; somebody may be in between. If the server has got a new key, or this is another of its keys, compare it with what its administrator tells and change host-key`;
}

function objectionByFiles(key: Buffer, known: readonly KnownKey[], { host, port }: { readonly host: string; readonly port: number }): string | undefined {
  switch (judgeKey(known, key)) {
    case 'trusted':
      return undefined;
    case 'revoked':
      return `the server shows the key ${describe(key)}, which a known_hosts file says is revoked`;
    case 'changed':
      return `the server shows the key ${describe(key)}, which is another than the known_hosts file has; somebody may be in between. If the server has got a new key, compare it with what its administrator tells and replace the line in ~/.ssh/known_hosts`;
    case 'unknown':
      return `the key of the server, ${describe(key)}, is not known. Compare it with what its administrator tells; then make it known: log in once with 'ssh -p ${String(port)} ${host}', which adds it to ~/.ssh/known_hosts, or give the storage the host-key ${fingerprintOf(key)}`;
  }
}

function describe(key: Buffer): string {
  return `${keyTypeOf(key).replace(/[^a-z0-9@.-]/g, '?')} ${fingerprintOf(key)}`;
}
