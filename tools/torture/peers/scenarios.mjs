/**
 * What a black box can be put through, each with the number of what a syncer must survive. A scenario prepares both
 * sides (`before`, then synced), lets something happen (`act`), and judges what is found after the next syncs.
 *
 * Verdicts: `handled` (right without asking), `kept + asks` (nothing lost, and it says so), `kept both` (nothing lost,
 * decided by itself), `refused` (it does nothing and says why), `partly`, `not noticed`, `silent` (left out without a
 * word), `overwritten`, `false delete`, `lost`, `torn`, `stuck`. What is wrong is in bold on the page.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { chanceOf } from '../chance.mjs';
import { filesBelow } from './world.mjs';

const verdict = (word, because) => ({ verdict: word, because });
/** Files that have nothing to do with what happens: a root is never nearly empty, and they must stay. */
const BYSTANDERS = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [`by/stander-${index}.txt`, `bystander ${index}`]));

/** @type {readonly { id: string, title: string, before?: (world: any) => any, act: (world: any, tools: any) => any, judge?: (world: any, result: any, tools: any) => any }[]} */
export const scenarios = [
  {
    id: 'T80/81',
    title: 'Both sides edited one file; another file must still go over, and a second run must change nothing',
    before: (world) => world.put('left', 'a.txt', 'original'),
    act: async (world, { sync }) => {
      world.put('left', 'a.txt', 'edited on the left');
      await sleep(20);
      world.put('right', 'a.txt', 'edited on the right!');
      world.put('left', 'other.txt', 'unrelated');
      const first = await sync();
      await sync();
      return first;
    },
    judge: (world, result, { asks }) => bothVersions(world, asks(result), 'a.txt', 'edited on the left', 'edited on the right!', world.get('right', 'other.txt') === 'unrelated'),
  },
  {
    id: 'T80',
    title: 'Edited on one side, deleted on the other',
    before: (world) => world.put('left', 'a.txt', 'original'),
    act: async (world, { sync }) => {
      world.remove('left', 'a.txt');
      world.put('right', 'a.txt', 'edited on the right');
      return sync();
    },
    judge: (world, result, { asks }) => {
      const edit = world.whereabouts('edited on the right', 'a.txt');
      if (edit === 'both') return verdict('kept both', 'the edit wins and comes back to the side that deleted');
      if (edit === 'right') return asks(result) ? verdict('kept + asks', 'both sides stay as they are, and it says so') : verdict('silent', 'both sides stay as they are, without a word');
      return verdict(edit === 'gone' ? 'lost' : 'kept both', `the edit is ${edit}`);
    },
  },
  {
    id: 'T79',
    title: 'The same edit on both sides, at different times',
    before: (world) => world.put('left', 'a.txt', 'original'),
    act: async (world, { sync }) => {
      world.put('left', 'a.txt', 'the same edit');
      fs.utimesSync(world.at('left', 'a.txt'), 1_700_000_000, 1_700_000_000);
      world.put('right', 'a.txt', 'the same edit');
      return sync();
    },
    judge: (world, result, { asks }) => {
      const copies = world.names('left').filter((name) => name.startsWith('a')).length;
      if (copies > 1) return verdict('kept both', `a conflict copy of equal content (${copies} files)`);
      return asks(result) ? verdict('kept + asks', 'takes it for a conflict') : verdict('handled', 'equal is no conflict');
    },
  },
  {
    id: 'T64',
    title: 'A file became a directory on one side, and was edited on the other',
    before: (world) => world.put('left', 'thing', 'original'),
    act: async (world, { sync }) => {
      world.remove('left', 'thing');
      world.put('left', 'thing/inner.txt', 'new inner file');
      world.put('right', 'thing', 'edited on the right');
      return sync();
    },
    judge: (world, result, { asks }) => {
      const [inner, edit] = [world.places('new inner file'), world.places('edited on the right')];
      if (inner.length === 0 || edit.length === 0) return verdict('lost', `${inner.length === 0 ? 'the new directory' : 'the edit'} is gone`);
      if (inner.length > 1 && edit.length > 1) return verdict('kept both', 'one got another name');
      return asks(result) ? verdict('kept + asks', 'both sides stay as they are, and it says so') : verdict('silent', 'both stay, without a word');
    },
  },
  {
    id: 'T65',
    title: 'A directory deleted on one side, a new file put into it on the other',
    before: (world) => ['one', 'two', 'three'].forEach((name) => world.put('left', `dir/${name}.txt`, `content ${name}`)),
    act: async (world, { sync }) => {
      world.remove('left', 'dir');
      world.put('right', 'dir/new.txt', 'new on the right');
      const first = await sync();
      await sync();
      return first;
    },
    judge: (world, result, { asks }) => {
      const found = world.whereabouts('new on the right', 'dir/new.txt');
      const old = world.get('left', 'dir/one.txt') !== undefined;
      if (found === 'gone') return verdict('lost', 'the new file was deleted with the directory');
      if (found === 'both') return old ? verdict('false delete', 'the new file is on both sides, but what was deleted came back') : verdict('handled', 'the new file is on both sides, the rest is deleted');
      return asks(result) ? verdict('kept + asks', `the new file stays on the ${found}`) : verdict('silent', `the new file stays on the ${found}`);
    },
  },
  {
    id: 'T69',
    title: 'Deleted on one side, renamed on the other',
    before: (world) => world.put('left', 'old-name.txt', 'content to keep'),
    act: async (world, { sync }) => {
      world.remove('left', 'old-name.txt');
      fs.renameSync(world.at('right', 'old-name.txt'), world.at('right', 'new-name.txt'));
      const first = await sync();
      await sync();
      return first;
    },
    judge: (world) => {
      const found = world.whereabouts('content to keep', 'new-name.txt');
      if (found === 'both') return world.get('left', 'old-name.txt') === undefined ? verdict('handled', 'the renamed file is on both sides') : verdict('false delete', 'under both names on both sides: the deletion was undone');
      return verdict(found === 'gone' ? 'lost' : 'partly', `the content is ${found}`);
    },
  },
  {
    id: 'T30',
    title: 'Other bytes of the same length, the modification time put back',
    before: (world) => world.put('left', 'a.dat', 'aaaaaaaaaaaaaaaa'),
    act: async (world, { sync }) => {
      const reference = path.join(world.home, 'times');
      execFileSync('cp', ['-p', world.at('left', 'a.dat'), reference]);
      await sleep(50);
      fs.writeFileSync(world.at('left', 'a.dat'), 'bbbbbbbbbbbbbbbb');
      execFileSync('touch', ['-r', reference, world.at('left', 'a.dat')]);
      return sync();
    },
    judge: (world) => (world.get('right', 'a.dat') === 'bbbbbbbbbbbbbbbb' ? verdict('handled', 'the edit went over') : verdict('not noticed', world.get('left', 'a.dat')?.startsWith('b') ? 'the edit stays on one side' : 'the edit was overwritten')),
  },
  {
    id: 'T33',
    title: 'An edit whose modification time lies before that of the old version',
    before: (world) => world.put('left', 'a.txt', 'original'),
    act: async (world, { sync }) => {
      world.put('left', 'a.txt', 'put back from an archive');
      fs.utimesSync(world.at('left', 'a.txt'), 1_400_000_000, 1_400_000_000);
      return sync();
    },
    judge: (world) => {
      if (world.get('right', 'a.txt') === 'put back from an archive') return verdict('handled', 'the edit went over');
      return world.get('left', 'a.txt') === 'put back from an archive' ? verdict('not noticed', 'the edit stays on one side') : verdict('overwritten', 'the old version came back over the edit');
    },
  },
  {
    id: 'T75',
    title: 'Odd names: line end, not UTF-8, NFC and NFD at once, leading dash, 255 bytes, a backslash, a trailing space',
    act: async (world, { sync }) => {
      for (const [index, name] of ODD_NAMES.entries()) fs.writeFileSync(Buffer.concat([Buffer.from(`${world.left}/`), name]), `odd ${index}`);
      const first = await sync();
      await sync();
      return first;
    },
    judge: (world, result, { asks }) => {
      const arrived = ODD_NAMES.filter((name, index) => readQuietly(Buffer.concat([Buffer.from(`${world.right}/`), name])) === `odd ${index}`).length;
      const kept = ODD_NAMES.filter((name, index) => readQuietly(Buffer.concat([Buffer.from(`${world.left}/`), name])) === `odd ${index}`).length;
      if (kept < ODD_NAMES.length) return verdict('lost', `${ODD_NAMES.length - kept} changed or vanished where they were made`);
      if (arrived === ODD_NAMES.length) return verdict('handled', `${arrived} of ${ODD_NAMES.length} went over`);
      return verdict(asks(result) ? 'partly' : 'silent', `${arrived} of ${ODD_NAMES.length} went over, ${asks(result) ? 'it names the others' : 'no word of the others'}`);
    },
  },
  {
    id: 'T72',
    title: 'A link, a link to nowhere, and a FIFO',
    act: async (world, { sync }) => {
      fs.symlinkSync('by/stander-1.txt', world.at('left', 'link'));
      fs.symlinkSync('/nowhere', world.at('left', 'dangling'));
      execFileSync('mkfifo', [world.at('left', 'fifo')]);
      return sync();
    },
    judge: (world, result, { asks }) => {
      if (result.code === 'SIGKILL') return verdict('stuck', 'it waits for ever');
      const link = fs.lstatSync(world.at('right', 'link'), { throwIfNoEntry: false });
      const dangling = fs.lstatSync(world.at('right', 'dangling'), { throwIfNoEntry: false });
      if (link?.isSymbolicLink() && dangling?.isSymbolicLink()) return verdict('handled', 'links go over as links; the FIFO is left out');
      if (link?.isFile()) return verdict('partly', 'the file behind the link went over');
      return asks(result) ? verdict('kept + asks', 'left out, each with its reason') : verdict('silent', 'left out without a word');
    },
  },
  {
    id: 'T73',
    title: 'Two names that differ in case only',
    act: async (world, { sync }) => {
      world.put('left', 'Name.txt', 'upper');
      world.put('right', 'name.txt', 'lower');
      return sync();
    },
    judge: (world) => (['left', 'right'].every((side) => world.get(side, 'Name.txt') === 'upper' && world.get(side, 'name.txt') === 'lower') ? verdict('handled', 'both are on both sides, as they may be here') : verdict('lost', 'not both on both sides')),
  },
  {
    id: 'T04',
    title: 'Everything deleted on one side',
    act: async (world, { sync }) => {
      for (const name of fs.readdirSync(world.right)) if (!name.startsWith('.')) world.remove('right', name);
      return sync();
    },
    judge: (world, result, { asks }) => judgeRemains(world, result, asks, Object.keys(BYSTANDERS), 'everything'),
  },
  {
    id: 'T04',
    title: 'The disk of one side unmounted: an empty mount point; then mounted again',
    needs: 'mount',
    place: (world) => {
      fs.mkdirSync(path.join(world.dir, 'disk'));
      execFileSync('mount', ['--bind', path.join(world.dir, 'disk'), world.right]);
    },
    act: async (world, { sync, recover }) => {
      execFileSync('umount', ['--lazy', world.right]);
      const result = await sync();
      const left = world.names('left').length;
      execFileSync('mount', ['--bind', path.join(world.dir, 'disk'), world.right]);
      const after = await recover(await sync());
      return { ...result, left, after };
    },
    judge: (world, result, { asks }) => {
      const files = Object.entries(BYSTANDERS);
      const kept = files.filter(([name, content]) => world.get('left', name) === content).length;
      if (result.left === 0) return verdict('false delete', kept === files.length ? 'the other side was emptied; mounting again brought it back' : 'the other side was emptied');
      if (kept < files.length) return verdict('false delete', `${files.length - kept} files deleted once it was mounted again`);
      return asks(result) ? verdict('refused', 'it says so and goes on once mounted again') : verdict('partly', 'filled the mount point with a second copy');
    },
    cleanup: (world) => spawnSync('umount', ['--lazy', world.right]),
  },
  {
    id: 'T85',
    title: 'Two thirds of the files deleted on one side',
    act: async (world, { sync }) => {
      for (const name of Object.keys(BYSTANDERS).slice(0, 16)) world.remove('left', name);
      return sync();
    },
    judge: (world, result, { asks }) => judgeRemains(world, result, asks, Object.keys(BYSTANDERS).slice(0, 16), 'all 16'),
  },
  {
    id: 'T01',
    title: 'A directory that an ordinary user cannot read any more',
    isOrdinary: true,
    before: (world) => ['one', 'two', 'three'].forEach((name) => world.put('left', `closed/${name}.txt`, `content ${name}`)),
    act: async (world, { sync }) => {
      fs.chmodSync(world.at('left', 'closed'), 0);
      world.put('left', 'other.txt', 'unrelated');
      const result = await sync();
      fs.chmodSync(world.at('left', 'closed'), 0o755);
      return result;
    },
    judge: (world, result, { asks }) => {
      const kept = ['one', 'two', 'three'].filter((name) => world.get('right', `closed/${name}.txt`) === `content ${name}`).length;
      if (kept < 3) return verdict('false delete', `${3 - kept} of 3 files deleted on the other side`);
      const goesOn = world.get('right', 'other.txt') === 'unrelated';
      if (!asks(result)) return verdict('silent', 'nothing deleted, without a word');
      return goesOn ? verdict('kept + asks', 'nothing deleted, it says why, and the rest goes over') : verdict('refused', 'nothing deleted; the whole run is given up');
    },
  },
  {
    id: 'T52',
    title: 'The disk of one side full in the middle; then room again',
    needs: 'mount',
    place: (world) => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'wl-peers', world.right]),
    before: (world) => world.put('left', 'precious.bin', 'old '.repeat(100_000)),
    act: async (world, { sync, recover }) => {
      for (let index = 0; index < 12; index += 1) world.put('left', `big-${String(index).padStart(2, '0')}.bin`, Buffer.alloc(1_000_000, 65 + index));
      world.put('left', 'precious.bin', 'new '.repeat(300_000));
      const result = await sync();
      const torn = tornBig(world);
      execFileSync('mount', ['-o', 'remount,size=64m', world.right]);
      const after = await recover(await sync());
      // Some try again what failed at their own pace.
      for (let time = 0; time < 9 && hasGaps(world); time += 1) {
        await sleep(10_000);
        await sync();
      }
      await sync();
      return { ...result, torn, after };
    },
    judge: (world, result, { asks }) => {
      const missing = Array.from({ length: 12 }, (_, index) => index).filter((index) => !isFilled(world.at('right', `big-${String(index).padStart(2, '0')}.bin`), 65 + index)).length;
      const source = Array.from({ length: 12 }, (_, index) => index).filter((index) => !isFilled(world.at('left', `big-${String(index).padStart(2, '0')}.bin`), 65 + index)).length;
      const precious = world.get('right', 'precious.bin') === 'new '.repeat(300_000);
      if (source > 0) return verdict('lost', `${source} files of the source damaged or gone`);
      if (result.torn.length > 0) return verdict('torn', `${result.torn.length} half files under their names meanwhile${missing === 0 ? '; complete in the end' : `; ${missing} still wrong in the end`}`);
      if (missing > 0 || !precious) return verdict('partly', `${missing + (precious ? 0 : 1)} files still missing once there was room`);
      return verdict(asks(result) ? 'handled' : 'silent', `fails file by file${result.after?.recovered ? ', needs a command to go on' : ''}, complete once there is room`);
    },
    cleanup: (world) => spawnSync('umount', ['--lazy', world.right]),
  },
  {
    id: 'T88',
    title: 'Killed ten times at random instants, then run to the end',
    before: (world) => manyFiles(world, 'left', 'old', 150),
    act: async (world, { ready, sync, kill, recover, unlock, seed }) => {
      const die = chanceOf(seed);
      manyFiles(world, 'left', 'new', 150);
      for (let index = 0; index < 150; index += 1) world.put('right', `from-right/f${index}`, `right ${index} ${'y'.repeat(die.below(20_000))}`);
      for (let index = 0; index < 8; index += 1) world.remove('left', Object.keys(BYSTANDERS)[index]);
      let torn = 0;
      let unlocked = false;
      for (let time = 0; time < 10; time += 1) {
        unlocked = unlock() || unlocked;
        await ready();
        const running = sync();
        await sleep(100 + die.below(900));
        await kill();
        await running;
        torn += tornMany(world);
      }
      unlocked = unlock() || unlocked;
      const result = await recover(await sync());
      await sync();
      return { ...result, torn, unlocked };
    },
    judge: (world, result) => {
      const names = world.names('left');
      const same = names.length === world.names('right').length && names.every((name) => world.get('left', name) === world.get('right', name));
      const wrong = Array.from({ length: 150 }, (_, index) => index).filter((index) => world.get('left', `many/f${index}`) !== contentOf('new', index) || world.get('right', `many/f${index}`) !== contentOf('new', index)).length;
      const back = Object.keys(BYSTANDERS).slice(0, 8).filter((name) => world.get('left', name) !== undefined).length;
      const debris = ['left', 'right'].flatMap((side) => filesBelow(world[side])).filter((place) => /\.tmp$|\.partial$|~syncthing~|\.unison\./.test(place) && !place.includes('/.wl/')).length;
      const tail = `${result.recovered ? ', by a command to recover' : result.unlocked ? '' : ', without a command'}${result.unlocked ? '; its lock had to be removed by hand' : ''}${debris > 0 ? `; ${debris} temporary files left behind` : ''}`;
      if (wrong > 0) return verdict(result.torn > 0 ? 'torn' : 'lost', `${wrong} of 150 edits wrong in the end${tail}`);
      if (result.torn > 0) return verdict('torn', `${result.torn} half files seen under their names after kills; right in the end${tail}`);
      if (back > 0) return verdict('false delete', `${back} of 8 deletions undone${tail}`);
      return same ? verdict('handled', `right in the end${tail}`) : verdict('partly', `sides differ in the end${tail}`);
    },
  },
  {
    id: 'T42',
    title: 'A large file rewritten in place again and again while it is synced',
    act: async (world, { sync, recover }) => {
      const writer = rewriteInPlace(world.at('left', 'large.bin'));
      const mixed = [];
      try {
        await writer.begun;
        for (let time = 0; time < 3; time += 1) {
          await sync();
          const kind = kindOfMix(world.at('right', 'large.bin'));
          if (kind !== 'whole') mixed.push(kind);
        }
      } finally {
        await writer.stop();
      }
      const result = await recover(await sync());
      return { ...result, mixed };
    },
    judge: (world, { mixed }) => {
      const same = fs.existsSync(world.at('right', 'large.bin')) && fs.readFileSync(world.at('left', 'large.bin')).equals(fs.readFileSync(world.at('right', 'large.bin')));
      const [foreign, real] = ['foreign', 'half-way'].map((kind) => mixed.filter((each) => each === kind).length);
      if (!same) {
        const kind = kindOfMix(world.at('right', 'large.bin'));
        return kind === 'whole' ? verdict('partly', 'the last version has not come over once the file is at rest') : verdict('torn', 'the copy is still mixed once the file is at rest');
      }
      if (foreign > 0) return verdict('torn', `${foreign} of 3 times a mixture was shown that never was on the disk; right in the end`);
      return verdict('handled', real > 0 ? `shown half-way ${real} times, as it was on the disk; right in the end` : 'never shown mixed; right in the end');
    },
  },
  {
    id: 'T56',
    title: 'Saves on one side while the other side\'s edits of the same 120 files come over',
    before: (world) => saveAll(world, 'left', 'old'),
    act: async (world, { sync }) => {
      saveAll(world, 'left', 'left edit');
      const superseded = new Set();
      const result = await whileSaving(world, sync, (index) => {
        // Who saves over the edit that has come over already has given it up.
        if (world.get('right', `race/f${index}`) === `left edit ${index}`) superseded.add(index);
        world.put('right', `race/f${index}`, `right save ${index}`);
      });
      await sync();
      return { ...result, superseded };
    },
    judge: (world, { superseded }) => judgeRace(world, (index) => [`right save ${index}`, ...(superseded.has(index) ? [] : [`left edit ${index}`])], 'edits or saves'),
  },
  {
    id: 'T55',
    title: 'Saves on one side while the other side\'s deletions of the same 120 files come over',
    before: (world) => {
      saveAll(world, 'left', 'old');
      manyFiles(world, 'left', 'old', 200);
    },
    act: async (world, { sync }) => {
      for (let index = 0; index < RACERS; index += 1) world.remove('left', `race/f${index}`);
      const result = await whileSaving(world, sync, (index) => world.put('right', `race/f${index}`, `right save ${index}`));
      await sync();
      return result;
    },
    judge: (world) => judgeRace(world, (index) => [`right save ${index}`], 'saves'),
  },
  {
    id: 'T20',
    title: 'Its own state lost, one side edited and a file deleted meanwhile',
    before: (world) => {
      world.put('left', 'a.txt', 'original');
      world.put('left', 'b.txt', 'to be deleted');
    },
    act: async (world, { sync, forget, recover }) => {
      if (!(await forget())) return { isNotApplicable: true };
      world.put('right', 'a.txt', 'edited on the right');
      fs.utimesSync(world.at('right', 'a.txt'), 1_600_000_000, 1_600_000_000);
      world.remove('left', 'b.txt');
      return recover(await sync());
    },
    judge: (world, result, { asks }) => {
      if (result.isNotApplicable) return verdict('n/a', 'it keeps no state');
      const edit = world.whereabouts('edited on the right', 'a.txt');
      if (world.places('to be deleted').length === 0) return verdict('false delete', 'a deletion was derived from nothing');
      if (edit === 'gone') return verdict('overwritten', `the edit was overwritten by the old version${result.recovered ? ' when it was told to begin anew' : ''}`);
      return edit === 'right' ? verdict(asks(result) ? 'kept + asks' : 'silent', 'the differing file is left alone') : verdict('kept both', `the edit is ${edit}`);
    },
  },
  {
    id: 'T89',
    title: '10,000 files in one directory, then a hundred of them edited',
    act: async (world, { sync }) => {
      fs.mkdirSync(world.at('left', 'wide'));
      for (let index = 0; index < 10_000; index += 1) fs.writeFileSync(world.at('left', `wide/${index}`), `first ${index}`);
      const begin = performance.now();
      await sync();
      const first = performance.now() - begin;
      for (let index = 0; index < 10_000; index += 100) world.put('left', `wide/${index}`, `second edit ${index}`);
      const result = await sync();
      return { ...result, first, again: performance.now() - begin - first };
    },
    judge: (world, { first, again }) => {
      let wrong = 0;
      for (let index = 0; index < 10_000; index += 1) if (world.get('right', `wide/${index}`) !== (index % 100 === 0 ? `second edit ${index}` : `first ${index}`)) wrong += 1;
      const times = `${(first / 1000).toFixed(1)} s, then ${(again / 1000).toFixed(1)} s`;
      return wrong === 0 ? verdict('handled', times) : verdict('partly', `${wrong} wrong; ${times}`);
    },
  },
].map((scenario) => ({ ...scenario, before: (world) => {
  for (const [name, content] of Object.entries(BYSTANDERS)) world.put('left', name, content);
  scenario.before?.(world);
} }));

const ODD_NAMES = [
  Buffer.from('line\nend.txt'),
  Buffer.concat([Buffer.from('bad'), Buffer.from([0xff, 0xfe]), Buffer.from('.txt')]),
  Buffer.from('caf\u00e9.txt'),
  Buffer.from('cafe\u0301.txt'),
  Buffer.from('-rf'),
  Buffer.from(`${'x'.repeat(251)}.txt`),
  Buffer.from('back\\slash.txt'),
  Buffer.from('space '),
];
const RACERS = 120;

function bothVersions(world, isAsking, name, left, right, goesOn) {
  const found = [world.whereabouts(left, name), world.whereabouts(right, name)];
  const rest = goesOn ? '' : '; the unrelated file did not go over';
  if (found.includes('gone')) return verdict('overwritten', `the ${found[0] === 'gone' ? 'left' : 'right'} edit is gone${rest}`);
  if (found[0] === 'left' && found[1] === 'right') return verdict(isAsking ? 'kept + asks' : 'silent', `both sides stay as they are${isAsking ? ', and it says so' : ', without a word'}${rest}`);
  return verdict(goesOn ? 'kept both' : 'partly', `one of them under another name${rest}`);
}

function judgeRemains(world, result, asks, names, all) {
  const kept = ['left', 'right'].map((side) => names.filter((name) => world.get(side, name) !== undefined).length);
  const [most, least] = [Math.max(...kept), Math.min(...kept)];
  if (most === 0) {
    const isInTrash = names.every((name) => world.places(BYSTANDERS[name]).length > 0);
    return verdict('carried out', `${all} deleted on the other side as well${isInTrash ? ', kept in a trash' : ', and no copy kept'}`);
  }
  if (least > 0) return verdict('false delete', 'the deletion was undone');
  return asks(result) ? verdict('refused', 'it stops and says how to go on') : verdict('silent', 'nothing happens, without a word');
}

/** A size that tells old from new and makes copying take a while. */
function contentOf(version, index) {
  return `${version} ${index} ${(version === 'old' ? 'o' : 'n').repeat(1_000 + ((index * 7919) % 60_000))}`;
}

function manyFiles(world, side, version, count) {
  for (let index = 0; index < count; index += 1) world.put(side, `many/f${index}`, contentOf(version, index));
}

function tornMany(world) {
  let torn = 0;
  for (let index = 0; index < 150; index += 1) {
    const content = world.get('right', `many/f${index}`);
    if (content !== undefined && content !== contentOf('old', index) && content !== contentOf('new', index)) torn += 1;
    const back = world.get('left', `from-right/f${index}`);
    if (back !== undefined && back !== world.get('right', `from-right/f${index}`)) torn += 1;
  }
  return torn;
}

function isFilled(place, byte) {
  const bytes = readQuietly(place, null);
  return bytes?.length === 1_000_000 && bytes.every((each) => each === byte);
}

function hasGaps(world) {
  return Array.from({ length: 12 }, (_, index) => index).some((index) => !isFilled(world.at('right', `big-${String(index).padStart(2, '0')}.bin`), 65 + index));
}

function tornBig(world) {
  return fs.readdirSync(world.right).filter((name) => /^big-\d\d\.bin$/.test(name) && !isFilled(world.at('right', name), 65 + Number(name.slice(4, 6))));
}

function readQuietly(place, encoding = 'utf8') {
  try {
    return fs.readFileSync(place, encoding);
  } catch {
    return undefined;
  }
}

function saveAll(world, side, word) {
  for (let index = 0; index < RACERS; index += 1) world.put(side, `race/f${index}`, `${word} ${index}`);
}

/** Saves each of the files once, over and over in another order than any program goes, until the sync is through. */
async function whileSaving(world, sync, save) {
  let isOver = false;
  const running = sync().finally(() => (isOver = true));
  // Begins when the program has started and looks around.
  await sleep(120);
  for (let step = 0; step < RACERS; step += 1) {
    save((step * 77) % RACERS);
    if (!isOver) await sleep(4);
  }
  return running;
}

function judgeRace(world, contentsOf, what) {
  const kept = new Set(filesBelow(world.dir).filter((place) => fs.statSync(place, { throwIfNoEntry: false })?.size < 100).map((place) => fs.readFileSync(place, 'utf8')));
  const lost = Array.from({ length: RACERS }, (_, index) => contentsOf(index)).filter((contents) => contents.some((content) => !kept.has(content))).length;
  return lost === 0 ? verdict('handled', `none of ${RACERS} files lost anything`) : verdict('lost', `${what} of ${lost} of ${RACERS} files are nowhere any more`);
}

const LARGE_BLOCKS = 6_000;
const BLOCK = 4_096;

/** Writes a file of numbered blocks from front to back, pass after pass, with short rests in which it is whole. */
function rewriteInPlace(place) {
  let isOver = false;
  let begin;
  const begun = new Promise((resolve) => (begin = resolve));
  const work = (async () => {
    const fd = fs.openSync(place, 'w');
    for (let version = 1; !isOver || version < 3; version += 1) {
      const block = Buffer.alloc(BLOCK, version % 251);
      for (let index = 0; index < LARGE_BLOCKS; index += 1) {
        fs.writeSync(fd, block, 0, BLOCK, index * BLOCK);
        if (index % 200 === 0) await sleep(1);
      }
      begin();
      await sleep(30);
    }
    // Once more after a moment: some programs compare times by the second.
    await sleep(1_100);
    for (let index = 0; index < LARGE_BLOCKS; index += 1) fs.writeSync(fd, Buffer.alloc(BLOCK, 255), 0, BLOCK, index * BLOCK);
    fs.closeSync(fd);
  })();
  return { begun, stop: () => ((isOver = true), work) };
}

/** Whether a copy is one version, a state that was there (new at the front, old behind), or neither. */
function kindOfMix(place) {
  const bytes = readQuietly(place, null);
  if (bytes === undefined) return 'whole';
  const values = [];
  for (let at = 0; at < bytes.length; at += BLOCK) if (values.at(-1) !== bytes[at]) values.push(bytes[at]);
  if (values.length === 1 && bytes.length === LARGE_BLOCKS * BLOCK) return 'whole';
  const isNext = values.length === 2 && (values[0] - values[1] + 251) % 251 === 1;
  return values.length === 1 || isNext ? 'half-way' : 'foreign';
}
