import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { TestBench, type Ran } from '../testing/test-bench.js';

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
});
afterEach(() => bench.close());

const create = (location: string): Promise<Ran> => bench.wl('storage', 'create', 'zip-archive', '--container', 'photos', '--backend-id', 'archive', '--location', location);

describe('wl storage create zip-archive', () => {
  it('adds an archive, marked as read-only and not filled', async () => {
    await bench.container('photos');
    const location = path.join(bench.directory, 'photos.zip');
    await writeFile(location, 'PK');
    const ran = await create(location);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain('Skipping initial sync of the storage: it is the only storage of its container.');
    const container = await bench.setup.containers.load('photos');
    expect(container.ok && container.value.data.backends.storage).toEqual([{ object: 'storage', type: 'zip-archive', location, 'backend-id': 'archive', 'read-only': true }]);
  });

  it('refuses what is missing and what is no file', async () => {
    await bench.container('photos');
    const folder = await bench.place('folder');
    expect(await create(path.join(folder, 'nothing.zip'))).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no archive') });
    expect(await create(folder)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is no file') });
    expect(await create('')).toMatchObject({ exitCode: 2 });
  });
});
