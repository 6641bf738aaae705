/**
 * Connects to a server and logs in. The client library is loaded when the first connection is made:
 * a daemon without SFTP storages never loads it. No message repeats a secret; what the library says is
 * put into words of ours.
 */

import type { Client, ConnectConfig, SFTPWrapper } from 'ssh2';

import { connectionTrouble, plain } from '../http/connection-trouble.js';
import { failure, type Concern } from './failure.js';
import { loadHostTrust } from './host-trust.js';
import { loadLogin } from './login.js';
import { Session } from './session.js';
import type { SftpHost, SftpParams } from './sftp-params.js';

/** Opens a connection. Rejects with `BackendError`: `unreachable`, or `unauthorized` where trying again is of no use. */
export type Connect = (onLost: () => void) => Promise<Session>;

const concern: Concern = { operation: 'connect' };
const READY_MS = 20_000;
/** A server that says nothing for three times as long is gone. */
const KEEPALIVE_MS = 15_000;
/** Those that the processor helps with, first. */
const CIPHERS = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'];

/** Connects to the server that the parameters name. */
export function connector(params: SftpParams, { env }: Pick<SftpHost, 'env'>): Connect {
  return async (onLost) => {
    const { Client, utils } = (await import('ssh2')).default;
    const trust = await loadHostTrust(params, env);
    const authHandler = await loadLogin(params, env, (data, passphrase) => utils.parseKey(data, passphrase), concern);
    let objection: string | undefined;
    const config: ConnectConfig = {
      host: params.host,
      port: params.port,
      username: params.login,
      authHandler,
      hostVerifier: (key) => {
        objection = trust.objection(key);
        return objection === undefined;
      },
      algorithms: { ...(trust.algorithms !== undefined && { serverHostKey: trust.algorithms }), cipher: { prepend: CIPHERS } },
      readyTimeout: READY_MS,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: 3,
    };
    const client = new Client();
    try {
      await logIn(client, config);
      return new Session(client, await openSftp(client), onLost);
    } catch (error) {
      client.destroy();
      if (objection !== undefined) throw failure('unauthorized', concern, objection);
      throw connectFailure(error, params);
    }
  };
}

/** Resolves once the server has let us in. */
function logIn(client: Client, config: ConnectConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    client.on('ready', resolve);
    client.on('error', reject);
    client.on('close', () => reject(new Error('closed')));
    client.connect(config);
  });
}

function openSftp(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    client.on('close', () => {
      clearTimeout(timer);
      reject(new Error('closed'));
    });
    const timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { level: 'client-timeout' })), READY_MS);
    client.sftp((error, sftp) => {
      clearTimeout(timer);
      if (error === null || error === undefined) resolve(sftp);
      else reject(Object.assign(error, { level: 'subsystem' }));
    });
  });
}

/** `level` is where in the library an error comes from. */
function connectFailure(error: unknown, { host, port, login }: SftpParams): Error {
  const { level, message } = (error ?? {}) as { level?: string; message?: string };
  const place = `${host}:${String(port)}`;
  switch (level) {
    case 'client-authentication':
      return failure('unauthorized', concern, `${place} does not let ${plain(login, 64)} in: it accepts neither of the key, agent or password that the storage has for it`);
    case 'agent':
      return failure('unauthorized', concern, `the ssh-agent cannot be used: ${plain(message ?? '', 80)}`);
    case 'subsystem':
      return failure('unsupported', concern, `${place} lets ${plain(login, 64)} in, but has no SFTP: ${plain(message ?? '', 80)}`);
    case 'client-timeout':
      return failure('unreachable', concern, `${place} has not answered for ${String(READY_MS / 1000)} seconds`, true);
    case 'handshake':
    case 'protocol':
      return failure('unreachable', concern, `${place} speaks no SSH that is understood here: ${plain(message ?? '', 80)}`, true);
    default:
      return failure('unreachable', concern, `${place}: ${connectionTrouble(error).says.replace('endpoint', 'storage')}`, true);
  }
}
