import { PassThrough } from 'node:stream';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { TestBench, type Ran } from '../testing/test-bench.js';

const SECRET = 'hunter2/hunter2+hunter2';
const HOST_KEY = `SHA256:${'A'.repeat(43)}`;

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
  await bench.container('photos');
});
afterEach(() => bench.close());

const create = (...options: string[]): Promise<Ran> => bench.wl('storage', 'create', 'sftp', '--container', 'photos', '--backend-id', 'files', ...options);
const storages = async (): Promise<unknown> => {
  const container = await bench.setup.containers.load('photos');
  return container.ok && container.value.data.backends.storage;
};
const pipe = (text: string): void => {
  const stdin = new PassThrough();
  stdin.end(text);
  bench.stdin = stdin;
};

describe('wl storage create sftp', () => {
  it.each([
    ['passphrase', ['--identity', '/home/ann/.ssh/id', '--passphrase', '-'], { identity: '/home/ann/.ssh/id', passphrase: SECRET }],
    ['password', ['--passwd', '-'], { passwd: SECRET }],
  ])('adds a folder of a server, with a %s that no option and no output has', async (_name, options, fields) => {
    pipe(`${SECRET}\n`);
    const ran = await create('--host', 'files.example.org', '--port', '2222', '--login', 'ann', '--path', 'photos', '--host-key', HOST_KEY, ...options);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await storages()).toEqual([{ object: 'storage', type: 'sftp', host: 'files.example.org', port: 2222, login: 'ann', path: 'photos', 'backend-id': 'files', 'host-key': HOST_KEY, ...fields }]);
    const shown = await bench.wl('container', 'info', 'photos');
    expect(shown.stdout).toContain('sftp://ann@files.example.org:2222/~/photos');
    expect(ran.stdout + shown.stdout).not.toContain('hunter2');
  });

  it.each([
    [['--host', 'h', '--passwd', SECRET], /no place on a command line/],
    [['--host', 'h', '--identity', '/k', '--passphrase', SECRET], /no place on a command line/],
    [['--host', 'h', '--passphrase', '-'], /goes with --identity/],
    [['--host', 'h', '--identity', '/k', '--passphrase', '-', '--passwd', '-'], /cannot both be given/],
    [['--host', 'h', '--port', 'ssh'], /--port needs a number/],
    [['--host', 'h', '--port', '70000'], /from 1 to 65535/],
    [['--host', 'h', '--host-key', 'MD5:00'], /--host-key needs a fingerprint/],
    [['--host', 'sftp://ann:hunter2@h'], /a name or an address/],
  ])('refuses %j and repeats no secret', async (options, why) => {
    const ran = await create(...options);
    expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(why) });
    expect(ran.stderr).not.toContain('hunter2');
    expect(await storages()).toEqual([]);
  });

  it('INV-23: refuses a folder in another one of the container', async () => {
    expect(await create('--host', 'h', '--path', '/a')).toMatchObject({ exitCode: 0 });
    const nested = await bench.wl('storage', 'create', 'sftp', '--container', 'photos', '--host', 'h', '--path', '/a/b');
    expect(nested).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('are in one another') });
  });
});
