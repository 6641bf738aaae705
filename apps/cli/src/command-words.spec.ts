import { describe, expect, it } from '@jest/globals';

import { resolveWords } from './command-words.js';
import { COMMANDS } from './commands/index.js';

const resolve = (line: string) => resolveWords(line.split(' ').filter((word) => word !== ''), COMMANDS.flatMap(({ paths }) => paths));

describe('resolveWords', () => {
  it.each([
    ['container create photos', 'container create', 'photos'],
    ['c create photos', 'container create', 'photos'],
    ['containers ls', 'container list', ''],
    ['storages rm one', 'storage delete', 'one'],
    ['s remove one', 'storage delete', 'one'],
    ['storage create local --container c', 'storage create local', '--container c'],
    ['status --json', 'status', '--json'],
    ['--base-dir /b container sync photos', 'container sync', '--base-dir /b photos'],
    ['-v container --base-dir=/b sync --one-shot photos', 'container sync', '-v --base-dir=/b --one-shot photos'],
  ])('finds the command of %j', (line, words, rest) => {
    expect(resolve(line)).toEqual({ kind: 'command', words: words.split(' '), rest: rest.split(' ').filter((word) => word !== ''), understood: [] });
  });

  it('takes an unambiguous beginning for its word and says so', () => {
    expect(resolve('cont stop photos')).toMatchObject({
      kind: 'command',
      words: ['container', 'stop-sync'],
      understood: [
        { typed: 'cont', word: 'container' },
        { typed: 'stop', word: 'stop-sync' },
      ],
    });
  });

  it('prefers a whole word to longer ones that begin with it', () => {
    expect(resolve('storage create local')).toMatchObject({ words: ['storage', 'create', 'local'], understood: [] });
  });

  it.each([
    ['st', "'st' may mean 'storage' or 'status' or 'start' or 'stop': type more of it"],
    ['sttus', "there is no command 'wl sttus'; did you mean: wl status"],
    ['container craete x', "there is no command 'wl container craete'; did you mean: wl container create"],
    ['storage create dropbox', "there is no command 'wl storage create dropbox'; see: wl storage create --help"],
    ['frobnicate', "there is no command 'wl frobnicate'; see: wl --help"],
    ['--one-shot container sync', '--one-shot is no option that may stand before the command: put it behind'],
    ['--base-dir', '--base-dir needs a value'],
  ])('refuses %j with advice', (line, message) => {
    expect(resolve(line)).toEqual({ kind: 'unknown', message });
  });

  it('says that a group needs a command', () => {
    expect(resolve('container')).toEqual({ kind: 'incomplete', words: ['container'] });
  });

  it.each([
    ['', []],
    ['--help', []],
    ['-h', []],
    ['container --help', ['container']],
    ['container sync photos --help', ['container', 'sync']],
    ['help container sync', ['container', 'sync']],
  ])('shows help for %j', (line, words) => {
    expect(resolve(line)).toEqual({ kind: 'help', words });
  });

  it('takes nothing behind -- for a wish for help', () => {
    expect(resolve('container create -- --help')).toMatchObject({ kind: 'command', rest: ['--', '--help'] });
  });

  it('shows the version for --version', () => {
    expect(resolve('--version')).toEqual({ kind: 'version' });
  });
});
