import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { someJob } from '../testing/fake-daemon.js';
import { TestBench } from '../testing/test-bench.js';

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
});
afterEach(() => bench.close());

const manifest = (name: string): string => path.join(bench.baseDirectory, 'containers', `${name}.container.yaml`);

describe('wl container list and info', () => {
  it('shows what containers are made of, without what opens a door', async () => {
    const made = await bench.setup.containers.create({
      name: 'docs',
      title: 'Docs',
      storages: [
        { type: 'local', location: '/home/ann/Docs', 'backend-id': 'one' },
        { type: 's3', s3_url: 's3://bucket/docs/', 'backend-id': 'two', credentials: { 'access-key': 'AKIA', 'secret-key': 'do not show' } },
      ],
    });
    expect(made.ok).toBe(true);
    const ran = await bench.wl('container', 'info', 'docs');
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toMatch(/^Sensitive fields are hidden\.\n.*docs\.container\.yaml\nobject: container\n/);
    expect(ran.stdout).toContain('  - type: local\n    backend-id: one\n    location: /home/ann/Docs\n  - type: s3\n    backend-id: two\n    s3_url: s3://bucket/docs/\n    credentials: stored\n');
    expect(ran.stdout).toContain(`local-path: ${manifest('docs')}\n`);
    expect(ran.stdout).not.toMatch(/AKIA|do not show/);
    expect((await bench.wl('c', 'ls')).stdout).toBe(ran.stdout);
  });

  it('shows the others when one is broken', async () => {
    await bench.container('docs');
    await bench.container('broken');
    await writeFile(manifest('broken'), 'nonsense');
    const ran = await bench.wl('container', 'list');
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toContain(manifest('docs'));
    expect(ran.stderr).toMatch(/^Warning: .*broken\.container\.yaml is no manifest/);
  });

  it.each([
    ['docx', 'container not found: docx. Did you mean docs?'],
    ['zzz', 'container not found: zzz. There are: docs, photos'],
  ])('names the containers there are when %j is none', async (name, message) => {
    await bench.container('docs');
    await bench.container('photos');
    expect(await bench.wl('container', 'info', name)).toEqual({ exitCode: 1, stdout: '', stderr: `Error: ${message}\n` });
  });

  it('says how to make the first one', async () => {
    expect((await bench.wl('container', 'info', 'docs')).stderr).toBe('Error: container not found: docs. There are none yet: wl container create NAME makes one\n');
  });
});

describe('wl container modify', () => {
  it('adds and takes away patterns', async () => {
    await bench.container('docs');
    expect(await bench.wl('container', 'modify', 'docs', '--add-ignore', '*.tmp', '--add-ignore', '/cache/')).toMatchObject({
      exitCode: 0,
      stdout: `Saved: ${manifest('docs')}\n`,
    });
    await bench.wl('container', 'modify', 'docs', '--del-ignore', '*.tmp');
    const container = await bench.setup.containers.load('docs');
    expect(container.ok && container.value.data.ignore).toEqual(['/cache/']);
  });

  it('says when nothing changed', async () => {
    await bench.container('docs');
    await bench.wl('container', 'modify', 'docs', '--title', 'Docs');
    expect(await bench.wl('container', 'modify', 'docs', '--title', 'Docs')).toMatchObject({ exitCode: 0, stdout: 'Nothing changed.\n' });
  });

  it('refuses to take away what is not there, and changes nothing then', async () => {
    await bench.container('docs');
    const before = await readFile(manifest('docs'));
    const ran = await bench.wl('container', 'modify', 'docs', '--add-ignore', 'a', '--del-ignore', 'b');
    expect(ran).toMatchObject({ exitCode: 1, stderr: 'Error: b is not among the ignore patterns. There are: none\n' });
    expect(await readFile(manifest('docs'))).toEqual(before);
  });

  it('asks for something to change', async () => {
    await bench.container('docs');
    expect(await bench.wl('container', 'modify', 'docs')).toMatchObject({ exitCode: 2 });
  });

  it.each(['two', '1'])('takes out the storage %s', async (word) => {
    await bench.container('docs', 'one', 'two', 'three');
    expect(await bench.wl('container', 'modify', 'docs', '--del-storage', word)).toMatchObject({ exitCode: 0 });
    const container = await bench.setup.containers.load('docs');
    expect(container.ok && container.value.data.backends.storage).toMatchObject([{ 'backend-id': 'one' }, { 'backend-id': 'three' }]);
  });

  it('names the storages there are when one is not', async () => {
    await bench.container('docs', 'one');
    expect((await bench.wl('container', 'modify', 'docs', '--del-storage', '7')).stderr).toBe('Error: Storage 7 not found in container docs. It has: 0: one\n');
  });

  it('does not take away a storage that a sync uses', async () => {
    const { id } = await bench.container('docs', 'one', 'two');
    (await bench.startDaemon()).jobs = [someJob({ 'container-id': id })];
    const ran = await bench.wl('container', 'modify', 'docs', '--del-storage', 'two');
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain('stop-sync');
  });

  it('reminds of jobs that run with the old settings', async () => {
    const { id } = await bench.container('docs', 'one', 'two');
    (await bench.startDaemon()).jobs = [someJob({ 'container-id': id })];
    const ran = await bench.wl('container', 'modify', 'docs', '--title', 'Docs');
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr).toContain('Its sync runs with the old settings');
  });
});

describe('wl container sign', () => {
  it('makes a manifest that was changed by hand count again', async () => {
    await bench.container('docs');
    await writeFile(manifest('docs'), `${await readFile(manifest('docs'), 'utf8')}title: By hand\n`);
    const refused = await bench.wl('container', 'info', 'docs');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('wl container sign docs');
    expect(await bench.wl('container', 'sign', 'docs')).toEqual({ exitCode: 0, stdout: `Signed: ${manifest('docs')}\n`, stderr: '' });
    expect((await bench.wl('container', 'info', 'docs')).stdout).toContain('title: By hand');
  });
});

describe('wl container delete', () => {
  it('removes the manifest; no daemon is needed where nothing can be syncing', async () => {
    await bench.container('docs', 'one');
    expect(await bench.wl('c', 'rm', 'docs')).toEqual({ exitCode: 0, stdout: `Deleted: ${manifest('docs')}\n`, stderr: '' });
    expect(bench.launches).toBe(0);
    expect((await bench.wl('container', 'info', 'docs')).exitCode).toBe(1);
  });

  it('ends the jobs of the container first, also where the daemon has to be started for it', async () => {
    const { id } = await bench.container('docs', 'one', 'two');
    bench.daemon.answers['stop-container'] = () => [`${id}|two`];
    const ran = await bench.wl('container', 'delete', 'docs');
    expect(ran.stdout).toBe(`Sync for job ${id}|two stopped\nDeleted: ${manifest('docs')}\n`);
    expect(bench.launches).toBe(1);
    expect(bench.daemon.argsOf('stop-container')).toEqual([{ 'container-id': id }]);
  });

  it('deletes one that cannot be opened', async () => {
    await bench.container('docs');
    await writeFile(manifest('docs'), 'nonsense');
    expect(await bench.wl('container', 'delete', 'docs')).toMatchObject({ exitCode: 0 });
  });

  it('says so when there is none', async () => {
    const ran = await bench.wl('container', 'delete', 'docs');
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain('container not found: docs');
  });
});
