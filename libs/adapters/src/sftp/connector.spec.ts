/** Logging in to a server that takes passwords, as many do; what keys and agents do is shown with OpenSSH's server. */

import { createServer, type AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from '@jest/globals';
import ssh2 from 'ssh2';

import { connector } from './connector.js';
import { fingerprintOf } from './host-trust.js';
import type { SftpParams } from './sftp-params.js';

const PASSWORD = 'hunter2';
const { Server, utils } = ssh2;
const hostKey = utils.generateKeyPairSync('ed25519');

let close: () => Promise<void> = async () => undefined;
afterEach(() => close());

/** A server that asks for the password in that way, and has no SFTP. */
async function serverAsking(method: 'password' | 'keyboard-interactive'): Promise<SftpParams> {
  const server = new Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      if (context.method !== method) return context.reject([method]);
      if (context.method === 'password') return context.password === PASSWORD ? context.accept() : context.reject([method]);
      return context.prompt([{ prompt: 'Password: ', echo: false }], ([answer]) => (answer === PASSWORD ? context.accept() : context.reject([method])));
    });
    client.on('session', (accept) => void accept());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => new Promise((resolve) => server.close(() => resolve()));
  const { port } = server.address() as AddressInfo;
  const parsed = utils.parseKey(Buffer.from(hostKey.public)) as unknown as { getPublicSSH(): Buffer };
  return { backendId: 'sftp', host: '127.0.0.1', port, login: 'ann', path: '.', hostKey: fingerprintOf(parsed.getPublicSSH()) };
}

const connect = (params: SftpParams): Promise<unknown> => connector(params, { env: {} })(() => undefined);

describe('logging in by a password', () => {
  it.each(['password', 'keyboard-interactive'] as const)('works where the server asks for it by %s', async (method) => {
    await expect(connect({ ...(await serverAsking(method)), password: PASSWORD })).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('lets ann in, but has no SFTP') });
  });

  it.each(['password', 'keyboard-interactive'] as const)('that is wrong is told as such by %s, and not shown', async (method) => {
    const failing = connect({ ...(await serverAsking(method)), password: 'hunter3' });
    await expect(failing).rejects.toMatchObject({ code: 'unauthorized', details: { retryable: false }, message: expect.not.stringContaining('hunter') });
  });

  it('is not tried at a server that shows another key than it should', async () => {
    const params = await serverAsking('password');
    const failing = connect({ ...params, password: PASSWORD, hostKey: `SHA256:${'A'.repeat(43)}` });
    await expect(failing).rejects.toMatchObject({ code: 'unauthorized', message: expect.stringContaining(params.hostKey ?? 'no key') });
  });

  it('is not possible where nobody listens, or what listens speaks no SSH', async () => {
    const server = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const params = { backendId: 'sftp', host: '127.0.0.1', port: (server.address() as AddressInfo).port, login: 'ann', path: '.', password: PASSWORD };
    await expect(connect(params)).rejects.toMatchObject({ code: 'unreachable', details: { retryable: true } });
    await new Promise((resolve) => server.close(resolve));
    await expect(connect(params)).rejects.toThrow(/nothing accepts connections there/);
  });
});
