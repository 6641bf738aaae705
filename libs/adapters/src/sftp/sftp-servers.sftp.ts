/** Servers that cannot do all that OpenSSH's can, files of others, logins and keys: what is done instead, and what is refused. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath as at, toSha256, type Token } from '@wl/domain';
import type { StorageBackend } from '@wl/ports';

import { createSftpBackend } from './create-sftp-backend.js';
import type { SftpParams } from './sftp-params.js';
import { openSftp, paramsFor, realClock, serverFromEnv, type OpenSftp } from './testing/open-sftp.js';
import { OwnServer, type OwnServerOptions } from './testing/own-server.js';

const server = serverFromEnv(process.env);
const MTIME_MS = 1_600_000_000_000;

async function put(backend: StorageBackend, path: string, text: string, expected?: Token) {
  const writer = await backend.openForSafeReplace(at(path), expected, { mtimeMs: MTIME_MS });
  await writer.write(Buffer.from(text));
  try {
    return await writer.commit({ sha256: toSha256(createHash('sha256').update(text).digest('hex')), sizeBytes: Buffer.byteLength(text) });
  } finally {
    await writer.abort();
  }
}

const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

/** Runs tests on a server of their own. */
function withServer(options: OwnServerOptions, tests: (current: () => OpenSftp) => void): void {
  let own: OwnServer;
  let opened: OpenSftp;
  beforeAll(async () => {
    own = await OwnServer.start(options);
  });
  afterAll(() => own.close());
  beforeEach(async () => {
    opened = await openSftp(own.server);
  });
  afterEach(() => opened.close());
  tests(() => opened);
}

describe('OpenSSH as it comes', () => {
  it('INV-26: was found to do everything, and leaves nothing of that behind', async () => {
    const opened = await openSftp(server);
    try {
      expect((await opened.backend.check?.())?.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 6 }, () => 'works'));
      expect(await opened.namesOutside()).toEqual([]);
      expect(fs.readdirSync(join(opened.location, '.wl'))).toEqual([]);
      await opened.writeOutside('a', Buffer.from('x'));
      await opened.backend.stat(at('a'));
      // INV-37: whoever only looks leaves no trace.
      const other = await openSftp(server);
      await other.backend.rootIdentity({ mark: false });
      for await (const batch of other.backend.list(ROOT)) expect(batch.keys).toEqual([]);
      expect(fs.readdirSync(other.location)).toEqual([]);
      await other.close();
    } finally {
      await opened.close();
    }
  });

  it('T32: a version of the same size from the same second has another token, and is told as racy where it could have none', async () => {
    const opened = await openSftp(server);
    try {
      const { backend } = opened;
      const first = await put(backend, 'a', 'one');
      if (!first.ok) throw new Error('stale');
      const second = await put(backend, 'a', 'two', first.value.token);
      if (!second.ok) throw new Error('stale');
      expect(second.value.token).not.toBe(first.value.token);
      expect(second.value.isRacy).toBe(false);
      // Somebody else, twice within one second: rounding hides it, so nobody may rely on the token. A second
      // that the server's clock has not come to yet cannot be over before it was looked at, however long that takes.
      const soonS = Math.floor(Date.now() / 1000) + 60;
      await opened.writeOutside('b', Buffer.from('one'));
      fs.utimesSync(join(opened.location, 'b'), soonS, soonS + 0.1);
      const before = await backend.stat(at('b'));
      await opened.writeOutside('b', Buffer.from('two'));
      fs.utimesSync(join(opened.location, 'b'), soonS, soonS + 0.9);
      const after = await backend.stat(at('b'));
      expect(before).toMatchObject({ kind: 'file', isRacy: true });
      expect(after).toMatchObject({ kind: 'file', isRacy: true, token: (before as { token: string }).token });
    } finally {
      await opened.close();
    }
  });
});

describe.each([
  ['no second names', ['hardlink'], /while wl replaces a file, for an instant nothing is at its name/],
  ['no renaming over', ['posix-rename'], /while wl replaces a file, for an instant nothing is at its name/],
  ['nothing but the plain protocol', ['hardlink', 'posix-rename', 'fsync', 'statvfs', 'limits'], /no fsync@openssh.com/],
])('a server with %s', (_name, denies, note) => {
  withServer({ denies }, (current) => {
    it('INV-5, INV-17: still creates, replaces and removes what it should and keeps the rest', async () => {
      const { backend, readOutside, trashOutside, writeOutside, namesOutside } = current();
      const made = await put(backend, 'a', 'one');
      if (!made.ok) throw new Error('stale');
      expect(await put(backend, 'a', 'ours')).toMatchObject({ ok: false });
      const replaced = await put(backend, 'a', 'two', made.value.token);
      if (!replaced.ok) throw new Error('stale');
      expect(textOf(await readOutside('a'))).toBe('two');
      await writeOutside('a', Buffer.from('theirs, longer'));
      expect(await put(backend, 'a', 'ours', replaced.value.token)).toMatchObject({ ok: false });
      expect(await backend.remove(at('a'), replaced.value.token)).toMatchObject({ ok: false });
      expect(textOf(await readOutside('a'))).toBe('theirs, longer');
      const { token } = (await backend.stat(at('a'))) as { token: Token };
      expect(await backend.remove(at('a'), token)).toMatchObject({ ok: true });
      expect((await trashOutside!()).map(textOf).sort()).toEqual(['one', 'theirs, longer']);
      expect(await namesOutside()).toEqual([]);
    });

    it('INV-26: says so', async () => {
      const { backend } = current();
      await put(backend, 'a', 'x');
      expect(backend.capabilities.notes.join('\n')).toMatch(note);
      expect((await backend.check?.())?.some(({ outcome }) => outcome === 'missing')).toBe(true);
    });
  });
});

describe('a server whose user is not everybody', () => {
  withServer({ asNobody: true }, (current) => {
    it('INV-8: does not take a directory that may be read but not entered for an empty one', async () => {
      const { backend, writeOutside, location } = current();
      await writeOutside('shut/a', Buffer.from('x'));
      await writeOutside('open/b', Buffer.from('x'));
      fs.chmodSync(join(location, 'shut'), 0o444);
      const reasons = new Map<string, string | undefined>();
      for await (const { keys, reasons: why } of backend.list(ROOT)) keys.forEach((key, index) => reasons.set(key, why.get(index)));
      expect([...reasons]).toEqual([['open/', undefined], ['open/b', undefined], ['shut/', 'permission-denied']]);
      expect(await backend.stat(at('shut/a'))).toEqual({ kind: 'unknown', reason: 'permission-denied' });
      fs.chmodSync(join(location, 'shut'), 0o755);
    });

    it('INV-5: keeps a file of somebody else that it replaces, which may not get a second name', async () => {
      const { backend, location, readOutside, trashOutside } = current();
      await put(backend, 'first', 'x');
      fs.writeFileSync(join(location, 'a'), 'theirs', { mode: 0o644 });
      fs.utimesSync(join(location, 'a'), 1, 1);
      const { token } = (await backend.stat(at('a'))) as { token: Token };
      expect(await put(backend, 'a', 'ours', token)).toMatchObject({ ok: true });
      expect(textOf(await readOutside('a'))).toBe('ours');
      expect((await trashOutside!()).map(textOf)).toEqual(['theirs']);
    });

    it('says that it may not write', async () => {
      const { backend, location, mkdirOutside } = current();
      await mkdirOutside('d');
      fs.chmodSync(join(location, 'd'), 0o555);
      await expect(put(backend, 'd/a', 'x')).rejects.toMatchObject({ code: 'permission-denied' });
      await expect(backend.makeDirectory(at('d/e'))).rejects.toMatchObject({ code: 'permission-denied' });
    });
  });
});

describe('getting in', () => {
  let scratch: string;
  beforeAll(() => {
    scratch = fs.mkdtempSync(join(tmpdir(), 'wl-keys-'));
  });
  afterAll(() => fs.rmSync(scratch, { recursive: true }));

  /** Opens the server's folder with other parameters; those that are `''` are left out. */
  const openWith = async (more: Partial<SftpParams>, env: Record<string, string> = {}): Promise<void> => {
    const params = Object.fromEntries(Object.entries({ ...paramsFor(server, server.files), ...more }).filter(([, value]) => value !== ''));
    const backend = createSftpBackend(params as unknown as SftpParams, { clock: realClock, env: { HOME: scratch, ...env } });
    try {
      await backend.open();
    } finally {
      await backend.close();
    }
  };

  it('takes a server whose key a known_hosts file has, hashed too, and refuses another and an unknown one with what to do', async () => {
    await expect(openWith({ hostKey: '' })).rejects.toMatchObject({ code: 'unauthorized', details: { retryable: false } });
    await expect(openWith({ hostKey: '' })).rejects.toThrow(/is not known.*known_hosts.*host-key SHA256:/s);
    fs.mkdirSync(join(scratch, '.ssh'));
    const file = join(scratch, '.ssh/known_hosts');
    fs.writeFileSync(file, execFileSync('ssh-keyscan', ['-p', String(server.port), '-t', 'ed25519', '127.0.0.1'], { stdio: ['ignore', 'pipe', 'ignore'] }));
    await openWith({ hostKey: '' });
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
    expect(fs.readFileSync(file, 'utf8')).toContain('|1|');
    await openWith({ hostKey: '' });
    fs.writeFileSync(file, `[127.0.0.1]:${String(server.port)} ${fs.readFileSync(`${server.identity}.pub`, 'utf8')}`);
    await expect(openWith({ hostKey: '' })).rejects.toThrow(/another than the known_hosts file has/);
    await expect(openWith({ hostKey: `SHA256:${'A'.repeat(43)}` })).rejects.toThrow(/is not the host-key of this storage/);
  });

  it('opens an encrypted key with its passphrase, and repeats none', async () => {
    const key = join(scratch, 'locked');
    fs.copyFileSync(server.identity, key);
    fs.chmodSync(key, 0o600);
    execFileSync('ssh-keygen', ['-q', '-p', '-a', '1', '-N', 'hunter2 hunter2', '-P', '', '-f', key], { stdio: 'ignore' });
    await openWith({ identity: key, passphrase: 'hunter2 hunter2' });
    await expect(openWith({ identity: key })).rejects.toThrow(/is encrypted, and the storage has no passphrase/);
    const wrong = openWith({ identity: key, passphrase: 'hunter3' });
    await expect(wrong).rejects.toThrow(/passphrase is not its own/);
    await expect(wrong).rejects.not.toThrow(/hunter/);
    await expect(openWith({ identity: join(scratch, 'none') })).rejects.toThrow(/there is no such file/);
  });

  it('logs in by the agent where no key is named', async () => {
    const socket = join(scratch, 'agent');
    const agent = execFileSync('ssh-agent', ['-a', socket]).toString();
    try {
      const withAgent = { SSH_AUTH_SOCK: socket };
      await expect(openWith({ identity: '' }, withAgent)).rejects.toMatchObject({ code: 'unauthorized' });
      execFileSync('ssh-add', ['-q', server.identity], { env: { ...process.env, ...withAgent } });
      await openWith({ identity: '' }, withAgent);
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(agent)?.[1]));
    }
  });

  it('says whom the server does not let in, without the secret, and that there is nothing to log in with', async () => {
    const refused = openWith({ identity: '', password: 'hunter2' });
    await expect(refused).rejects.toMatchObject({ code: 'unauthorized', details: { retryable: false } });
    await expect(refused).rejects.not.toThrow(/hunter2/);
    await expect(openWith({ identity: '' })).rejects.toThrow(/nothing to log in with/);
  });
});
