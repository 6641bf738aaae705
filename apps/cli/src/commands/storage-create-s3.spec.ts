import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { someJob } from '../testing/fake-daemon.js';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { TestBench, type Ran } from '../testing/test-bench.js';

const SECRET = 'hunter2/hunter2+hunter2';

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
});
afterEach(() => bench.close());

const create = (...options: string[]): Promise<Ran> => bench.wl('storage', 'create', 's3', '--container', 'photos', '--s3-url', 's3://bucket/photos', ...options);
const pipe = (text: string): void => {
  const stdin = new PassThrough();
  stdin.end(text);
  bench.stdin = stdin;
};
const storages = async (): Promise<unknown> => {
  const container = await bench.setup.containers.load('photos');
  return container.ok && container.value.data.backends.storage;
};

describe('wl storage create s3', () => {
  it('adds a place in a bucket, for the credentials of the surroundings', async () => {
    await bench.container('photos');
    const ran = await create('--backend-id', 'bucket');
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain('Adding storage bucket to container.\n');
    expect(await storages()).toEqual([{ object: 'storage', type: 's3', s3_url: 's3://bucket/photos/', 'backend-id': 'bucket' }]);
  });

  it('keeps every option', async () => {
    await bench.container('photos');
    pipe(`${SECRET}\n`);
    const ran = await create(
      ...['--endpoint-url', 'https://s3.example.org/', '--region', 'eu-central-1', '--access-key', 'AKIA', '--secret-key', '-'],
      ...['--no-path-style', '--watcher-interval', '60', '--storage-class', 'STANDARD_IA', '--sse', 'aes256', '--with-index', '--read-only', '--trusted'],
    );
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await storages()).toEqual([
      {
        object: 'storage',
        type: 's3',
        s3_url: 's3://bucket/photos/',
        endpoint_url: 'https://s3.example.org',
        region: 'eu-central-1',
        'path-style': false,
        'storage-class': 'STANDARD_IA',
        sse: 'AES256',
        'with-index': true,
        'backend-id': expect.any(String),
        'watcher-interval': 60,
        'read-only': true,
        trusted: true,
        credentials: { 'access-key': 'AKIA', 'secret-key': SECRET },
      },
    ]);
  });

  it('takes values joined to their options', async () => {
    await bench.container('photos');
    const ran = await bench.wl('storage', 'create', 's3', '--container=photos', '--s3-url=s3://bucket/a=b', '--region=eu-central-1', '--backend-id=bucket');
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await storages()).toEqual([{ object: 'storage', type: 's3', s3_url: 's3://bucket/a=b/', region: 'eu-central-1', 'backend-id': 'bucket' }]);
  });

  it('W-49: writes the path once', async () => {
    await bench.container('photos');
    await create();
    expect(JSON.stringify(await storages())).not.toContain('base_url');
  });

  it('fills the storage from the first local one at once', async () => {
    const { id } = await bench.container('photos', 'a');
    bench.daemon.answers.start = (args) => {
      bench.daemon.jobs = [someJob({ mode: 'one-shot', 'job-id': String(args['job-id']), 'container-id': id })];
      return 'Using remote backend bucket of type s3.';
    };
    const ran = await create('--backend-id', 'bucket');
    expect(ran.stdout).toContain('Sync successful.\n');
    expect(bench.daemon.argsOf('start')).toMatchObject([{ source: { 'backend-id': 'a' }, target: { type: 's3', 'backend-id': 'bucket' }, unidirectional: true, continuous: false }]);
  });

  it('stays when it cannot be filled, saying why, how to go on and how to go back', async () => {
    await bench.container('photos', 'a');
    bench.daemon.answers.start = () => {
      throw Object.assign(new Error('Storage bucket cannot be used: unable to open: unauthorized (no such key)'), { className: 'WildlandError' });
    };
    pipe(SECRET);
    const ran = await create('--backend-id', 'bucket', '--access-key', 'AKIA', '--secret-key', '-');
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toMatch(
      new RegExp(
        '^Error: Failed to sync storage for container [0-9a-f-]+: Storage bucket cannot be used: unable to open: unauthorized \\(no such key\\)\n' +
          'The storage stays in the container: `wl container sync photos` tries again, `wl storage delete --force bucket` takes it out\n' +
          'Hint: the credentials stored with this storage were used;.*\n$',
      ),
    );
    expect(await storages()).toHaveLength(2);
  });

  it.each<[string[], number, string]>([
    [['--secret-key', SECRET], 2, 'a secret key has no place on a command line'],
    [[`--secret-key=${SECRET}`, '--access-key', 'AKIA'], 2, 'a secret key has no place on a command line'],
    [[`--secretkey=${SECRET}`], 2, 'there is no option --secretkey; did you mean --secret-key?'],
    [['--secret-key', '-'], 2, '--secret-key goes with --access-key'],
    [['--access-key', ''], 2, '--access-key needs an access key'],
    [['--access-key', 'AKIA'], 2, 'there is no terminal to ask for the secret key on'],
    [['--access-key', 'AKIA', '--secret-key', '-'], 1, 'no secret key was given; nothing was changed'],
    [['--endpoint-url', 's3.example.org'], 2, '--endpoint-url: "s3.example.org" is no endpoint: it begins with https:// or http://'],
    [['--endpoint-url', 'https://s3.example.org/bucket'], 2, 'bucket and path belong into s3://bucket/path'],
    [['--endpoint-url', `https://AKIA:${encodeURIComponent(SECRET)}@s3.example.org`], 2, 'credentials have no place in the endpoint'],
    [['--region', 'eu central'], 2, '--region: "eu central" cannot be a region'],
    [['--sse', 'rot13'], 2, 'is no server-side encryption'],
    [['--storage-class', 'DEEP_ARCHIVE'], 2, 'cannot be synced'],
    [['--watcher-interval', '0'], 2, '--watcher-interval needs a number of seconds'],
    [['--backend-id', 's3'], 1, 'cannot be a backend-id'],
  ])('refuses %j, changes nothing and repeats no secret', async (options, exitCode, message) => {
    await bench.container('photos');
    pipe('');
    const ran = await create(...options, '--debug');
    expect(ran).toMatchObject({ exitCode, stdout: '' });
    expect(ran.stderr).toContain(message);
    expect(ran.stderr).not.toMatch(/hunter2/);
    expect(await storages()).toEqual([]);
  });

  it.each([
    ['https://bucket.s3.amazonaws.com/photos', '--s3-url: "https://bucket.s3.amazonaws.com/photos" is no S3 URL'],
    ['s3://', 'names no bucket'],
    [`s3://AKIA:${SECRET}@bucket/photos`, 'credentials and ports have no place in it'],
  ])('refuses the URL %s', async (url, message) => {
    const ran = await bench.wl('storage', 'create', 's3', '--container', 'photos', '--s3-url', url, '--debug');
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain(message);
    expect(ran.stderr).not.toContain(SECRET);
  });

  it('says which options are needed', async () => {
    expect((await bench.wl('storage', 'create', 's3')).stderr).toMatch(/^Error: a required option is missing: --container and --s3-url are needed\n/);
  });

  it('asks for the secret only once everything else is found right', async () => {
    bench.stdin = new FakeTerminal();
    expect((await create('--access-key', 'AKIA')).stderr).toContain('container not found: photos');
    await bench.container('photos');
    await create();
    expect((await create('--access-key', 'AKIA')).stderr).toContain('are the same place');
    expect((await create('--access-key', 'AKIA')).stderr).not.toContain('not shown');
  });

  it('INV-23: refuses a place that overlaps another of the container', async () => {
    await bench.container('photos');
    await create('--endpoint-url', 'http://localhost:9000');
    const at = (url: string, ...options: string[]) => bench.wl('storage', 'create', 's3', '--container', 'photos', '--s3-url', url, ...options);
    expect((await at('s3://bucket', '--endpoint-url', 'http://LOCALHOST:9000/')).stderr).toContain('are in one another');
    expect(await at('s3://bucket/photos2', '--endpoint-url', 'http://localhost:9000', '--skip-sync')).toMatchObject({ exitCode: 0 });
    expect(await at('s3://bucket/photos', '--skip-sync')).toMatchObject({ exitCode: 0 });
  });

  it('leaves the container as it is after Ctrl-C at the question, and gives the terminal back', async () => {
    await bench.container('photos');
    const terminal = new FakeTerminal();
    bench.stdin = terminal;
    terminal.write(`${SECRET}\u0003`);
    const ran = await create('--access-key', 'AKIA');
    expect(ran).toMatchObject({ exitCode: 130, stdout: '' });
    expect(ran.stderr).toBe('Secret key (not shown while you type): \nError: interrupted; nothing was changed\n');
    expect(terminal.isRaw).toBe(false);
    expect(await storages()).toEqual([]);
  });
});

describe('the secret of an S3 storage', () => {
  const noisy = ['--verbose', '--debug'];

  beforeEach(async () => {
    await bench.container('photos', 'a');
  });

  it('is in files that only their owner can read, whatever the umask, and nowhere else', async () => {
    const before = process.umask(0);
    try {
      pipe(SECRET);
      await create('--access-key', 'AKIA', '--secret-key', '-', '--backend-id', 'one', '--skip-sync');
      pipe(SECRET);
      await bench.wl('storage', 'create', 's3', '--container', 'photos', '--s3-url', 's3://other', '--access-key', 'AKIA', '--secret-key', '-', '--no-inline', '--skip-sync', 'own');
      await bench.wl('container', 'modify', 'photos', '--add-ignore', '*.tmp');
    } finally {
      process.umask(before);
    }
    const files = (await readdir(bench.baseDirectory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    const holding: string[] = [];
    for (const file of files) {
      if (!(await readFile(file, 'utf8')).includes(SECRET)) continue;
      holding.push(path.basename(file));
      expect([file, (await stat(file)).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(holding.sort()).toEqual(['own.storage.yaml', 'photos.container.yaml']);
  });

  it('is shown by no command, nor the access key', async () => {
    pipe(SECRET);
    const shown = [await create('--access-key', 'AKIA', '--secret-key', '-', '--backend-id', 'one', '--skip-sync', ...noisy)];
    pipe(SECRET);
    shown.push(await bench.wl('storage', 'create', 's3', '--container', 'photos', '--s3-url', 's3://other', '--access-key', 'AKIA', '--secret-key', '-', '--no-inline', '--skip-sync', 'own', ...noisy));
    for (const words of [
      ['container', 'list'],
      ['container', 'info', 'photos'],
      ['storage', 'list'],
      ['status'],
      ['status', '--json'],
      ['storage', 'check', 'photos'],
      ['storage', 'check', 'one', '--json'],
      ['container', 'sync', 'photos'],
      ['container', 'list-conflicts', 'photos'],
      ['container', 'sync', 'photos', '--target-storage', 'nowhere'],
    ]) {
      shown.push(await bench.wl(...words, ...noisy));
    }
    bench.daemon.answers.start = () => {
      throw Object.assign(new Error('Storage one at s3://bucket/photos cannot be used: unable to list: unauthorized'), { className: 'WildlandError' });
    };
    shown.push(await bench.wl('container', 'sync', '--one-shot', 'photos', ...noisy));
    expect(shown.at(-1)?.stderr).toContain('Hint: ');
    shown.push(await bench.wl('storage', 'delete', '--force', 'one', ...noisy));
    for (const { stdout, stderr } of shown) expect(stdout + stderr).not.toMatch(/hunter2|AKIA/);
    expect(shown[3]?.stdout).toMatch(/s3_url: s3:\/\/bucket\/photos\/\n {4}credentials: stored\n/);
    expect(shown[4]?.stdout).toContain('type: s3 backend_id: one location: s3://bucket/photos\n');
    // What the daemon needs to work it is told, on a socket that is for the user alone.
    expect(JSON.stringify(bench.daemon.argsOf('start'))).toContain(SECRET);
  });
});
