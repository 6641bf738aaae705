/** Secrets stored with a storage: in files for their owner alone, and in nothing that is printed or logged. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { shellWord } from './testing/means.js';
import { plant } from './testing/tree.js';
import { World } from './testing/world.js';

const SECRET = 'hunter2/hunter2+hunter2';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

/** All files below a directory that hold the secret, relative to it, each with its mode. */
function holders(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(SECRET))
    .map((file) => `${path.relative(directory, file)} ${(statSync(file).mode & 0o777).toString(8)}`)
    .sort();
}

describe('a secret key', () => {
  it('stays in files of mode 600, whatever the umask, and out of output and log', async () => {
    // Everybody could read what is made without care.
    const careless = async (line: string): Promise<string> => {
      const { stdout, stderr } = await world.shell(`umask 000; ${line}`);
      return stdout + stderr;
    };
    plant(world.folder('here'), { 'a.txt': 'a' });
    const shown = [
      await careless('wl container create photos --storage here'),
      // Nobody listens there.
      await careless(
        `printf '%s\\n' ${shellWord(SECRET)} | wl storage create s3 --container photos --s3-url s3://bucket/photos --endpoint-url http://127.0.0.1:1 ` +
          '--access-key AKIAEXAMPLE --secret-key - --backend-id bucket --skip-sync --debug',
      ),
      await careless('wl container info photos'),
      await careless('wl storage list -v'),
      await careless('wl storage check bucket --debug'),
      await careless('wl storage check bucket --json'),
    ];
    expect(shown[2]).toContain('credentials: stored');

    // A job on record holds the parameters of its storages; here those of a type whose jobs start without a network.
    const client = await world.connect();
    const credentials = { 'access-key': 'AKIAEXAMPLE', 'secret-key': SECRET };
    const local = (id: string) => ({ type: 'local', location: world.folder(id), 'backend-id': id, credentials });
    const request = { 'container-name': 'photos', 'job-id': 'o|u|there', source: local('here'), target: local('there'), continuous: true, unidirectional: false };
    expect(await client.ask('start', request)).toHaveProperty('result');
    await world.untilSynced();
    shown.push(await careless('wl status'), await careless('wl status --json'), JSON.stringify(await client.ask('start', request)), world.log());
    client.close();
    shown.push(await careless('wl stop'), world.log());

    for (const text of shown) expect(text).not.toMatch(/hunter2|AKIA/);
    expect(holders(world.home)).toEqual(['config/wildland/containers/photos.container.yaml 600', 'config/wildland/wl-state.db 600']);
  });

  it('is refused as the value of an option, and not repeated', async () => {
    await world.wl('container', 'create', 'photos');
    const { stderr } = await world.wlEnds(2, 'storage', 'create', 's3', '--container', 'photos', '--s3-url', 's3://bucket', '--access-key', 'AKIAEXAMPLE', '--secret-key', SECRET, '--debug');
    expect(stderr).toContain('no place on a command line');
    expect(stderr).not.toContain('hunter2');
    expect(holders(world.home)).toEqual([]);
  });
});
