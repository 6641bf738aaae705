import { PassThrough } from 'node:stream';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { TestBench, type Ran } from '../testing/test-bench.js';

const SECRET = 'hunter2/hunter2+hunter2';

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
  await bench.container('photos');
});
afterEach(() => bench.close());

const create = (...options: string[]): Promise<Ran> => bench.wl('storage', 'create', 'webdav', '--container', 'photos', '--backend-id', 'dav', ...options);
const storages = async (): Promise<unknown> => {
  const container = await bench.setup.containers.load('photos');
  return container.ok && container.value.data.backends.storage;
};

describe('wl storage create webdav', () => {
  it('adds a folder of a server, with a password that no option and no output has', async () => {
    const stdin = new PassThrough();
    stdin.end(`${SECRET}\n`);
    bench.stdin = stdin;
    const ran = await create('--url', 'https://dav.example.org/ann', '--login', 'ann', '--password', '-');
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).not.toContain(SECRET);
    expect(await storages()).toEqual([{ object: 'storage', type: 'webdav', url: 'https://dav.example.org/ann/', 'backend-id': 'dav', credentials: { login: 'ann', password: SECRET } }]);
    const shown = await bench.wl('container', 'info', 'photos');
    expect(shown.stdout).toContain('url: https://dav.example.org/ann/');
    expect(shown.stdout).not.toContain(SECRET);
  });

  it.each([
    [['--url', 'https://host/', '--login', 'ann', '--password', SECRET], /no place on a command line/],
    [['--url', 'https://host/', '--password', '-'], /--password goes with --login/],
    [['--url', 'https://host/', '--login', 'a:b'], /needs a login/],
    [['--url', `https://ann:${SECRET.slice(0, 7)}@host/`], /credentials have no place/],
    [['--url', 'dav.example.org'], /begins with https/],
  ])('refuses %j and repeats no secret', async (options, why) => {
    const ran = await create(...options);
    expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(why) });
    expect(ran.stderr).not.toContain('hunter2');
    expect(await storages()).toEqual([]);
  });

  it('INV-23: refuses a folder in another one of the container', async () => {
    expect(await create('--url', 'https://host/a')).toMatchObject({ exitCode: 0 });
    const nested = await bench.wl('storage', 'create', 'webdav', '--container', 'photos', '--url', 'http://host/a/b');
    expect(nested).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('are in one another') });
  });
});
