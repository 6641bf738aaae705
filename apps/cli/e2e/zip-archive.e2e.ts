/** A zip archive as the source of a one-way sync with the built programs. */

import { truncateSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { publishZip } from './testing/stored-zip.js';
import { treeOf } from './testing/tree.js';
import { until } from './testing/until.js';
import { World } from './testing/world.js';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

describe('a zip archive', () => {
  it('is brought to a folder, kept up to date, and never taken for empty', async () => {
    const [folder, archive] = [world.folder('handbook'), world.path('handbook.zip')];
    publishZip(archive, { 'intro.txt': 'hello', 'chapters/one.txt': 'one', 'chapters/zwölf.txt': 'zwölf' });
    await world.wl('container', 'create', 'handbook', '--storage', folder);
    const made = await world.wl('storage', 'create', 'zip-archive', '--container', 'handbook', '--location', 'handbook.zip', '--backend-id', 'archive');
    expect(made.stdout).toContain('Skipping initial sync of the storage: it is read-only.');
    expect((await world.wl('storage', 'list')).stdout).toContain(`type: zip-archive backend_id: archive location: ${archive} read-only`);

    const refused = await world.wlEnds(1, 'container', 'sync', '--one-shot', 'handbook');
    expect(refused.stderr).toContain("the target 'zip-archive'(backend_id=archive) is read-only");
    const sync = (...options: string[]): string[] => ['container', 'sync', ...options, '--unidirectional', '--source-storage', 'archive', 'handbook'];
    expect((await world.wl(...sync('--one-shot'))).stdout).toContain('Copied 3 files');
    expect(treeOf(folder)).toEqual({ 'intro.txt': 'hello', 'chapters/': 'dir', 'chapters/one.txt': 'one', 'chapters/zwölf.txt': 'zwölf' });

    truncateSync(archive, 40);
    expect((await world.wlEnds(1, ...sync('--one-shot'))).stderr).toContain('damaged');
    expect(Object.keys(treeOf(folder))).toHaveLength(4);

    publishZip(archive, { 'intro.txt': 'hello', 'chapters/one.txt': 'eins', 'chapters/zwölf.txt': 'zwölf' });
    await world.wl(...sync());
    await until(() => treeOf(folder)['chapters/one.txt'] === 'eins', 'the folder has the new chapter');
    publishZip(archive, { 'intro.txt': 'hello', 'chapters/one.txt': 'eins', 'new.txt': 'new' });
    await until(() => treeOf(folder)['new.txt'] === 'new' && !('chapters/zwölf.txt' in treeOf(folder)), 'the folder is as the newest archive');
  });
});
