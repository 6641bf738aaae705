/**
 * From what the user types to the words of a command: aliases (`c`, `ls`, `rm`), unambiguous
 * beginnings of a word, and for a typo the nearest word (reference §5.1).
 *
 * Global options may stand before and between the words; they are put behind them.
 */

import { nearest } from './suggest.js';

/** Other names of a word, wherever it stands. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  container: ['c', 'containers'],
  storage: ['s', 'storages'],
  list: ['ls'],
  delete: ['rm', 'remove'],
};

/** Options that every command has, and whether a value follows. */
const GLOBAL_OPTIONS: ReadonlyMap<string, boolean> = new Map([
  ['--base-dir', true],
  ['--verbose', false],
  ['-v', false],
  ['--quiet', false],
  ['-q', false],
  ['--debug', false],
  ['--no-debug', false],
]);

/** What a command line asks for. */
export type ResolvedWords =
  /** Run the command of these words; `rest` is everything else, in order. */
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly rest: readonly string[]; readonly understood: readonly Understood[] }
  /** Show help of a command or, for `[]` and groups, of all commands below. */
  | { readonly kind: 'help'; readonly words: readonly string[] }
  | { readonly kind: 'version' }
  /** No such command; the message is for people. */
  | { readonly kind: 'unknown'; readonly message: string }
  /** A group without a command. */
  | { readonly kind: 'incomplete'; readonly words: readonly string[] };

/** A beginning that was taken for a word. */
export interface Understood {
  readonly typed: string;
  readonly word: string;
}

/** Finds the command in `argv` among `paths`, the words of all commands. */
export function resolveWords(argv: readonly string[], paths: readonly (readonly string[])[]): ResolvedWords {
  const words: string[] = [];
  const globals: string[] = [];
  const understood: Understood[] = [];
  const isHelp = argv[0] === 'help' || argv.slice(0, endOfOptions(argv)).some(isHelpOption);

  for (let index = 0; ; index += 1) {
    const below = paths.filter((path) => words.every((word, depth) => path[depth] === word));
    if (below.some((path) => path.length === words.length)) {
      if (isHelp) return { kind: 'help', words };
      return { kind: 'command', words, rest: [...globals, ...argv.slice(index)], understood };
    }
    const typed = argv[index];
    if (typed === undefined) return isHelp || words.length === 0 ? { kind: 'help', words } : { kind: 'incomplete', words };
    if (isHelpOption(typed) || (index === 0 && typed === 'help')) continue;
    if (typed === '--version') return { kind: 'version' };
    if (typed.startsWith('-')) {
      const hasValue = GLOBAL_OPTIONS.get(typed.split('=')[0] ?? typed);
      if (hasValue === undefined) return { kind: 'unknown', message: `${typed} is no option that may stand before the command: put it behind` };
      globals.push(typed);
      if (hasValue && !typed.includes('=')) {
        index += 1;
        const value = argv[index];
        if (value === undefined) return { kind: 'unknown', message: `${typed} needs a value` };
        globals.push(value);
      }
      continue;
    }
    const found = resolveWord(typed, new Set(below.map((path) => path[words.length] ?? '')), words);
    if ('message' in found) return { kind: 'unknown', message: found.message };
    if (found.isBeginning) understood.push({ typed, word: found.word });
    words.push(found.word);
  }
}

function resolveWord(
  typed: string,
  candidates: ReadonlySet<string>,
  before: readonly string[],
): { readonly word: string; readonly isBeginning: boolean } | { readonly message: string } {
  const names = [...candidates].flatMap((word) => [word, ...(ALIASES[word] ?? [])].map((name) => ({ name, word })));
  const exact = names.find(({ name }) => name === typed);
  if (exact !== undefined) return { word: exact.word, isBeginning: false };
  const meant = [...new Set(typed === '' ? [] : names.filter(({ name }) => name.startsWith(typed)).map(({ word }) => word))];
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return { word: only, isBeginning: true };
  const full = (word: string): string => ['wl', ...before, word].join(' ');
  if (meant.length > 1) return { message: `'${typed}' may mean ${meant.map((word) => `'${word}'`).join(' or ')}: type more of it` };
  const near = nearest(typed, names.map(({ name }) => name));
  const word = names.find(({ name }) => name === near)?.word;
  const advice = word === undefined ? `see: ${['wl', ...before, '--help'].join(' ')}` : `did you mean: ${full(word)}`;
  return { message: `there is no command '${full(typed)}'; ${advice}` };
}

function isHelpOption(word: string): boolean {
  return word === '--help' || word === '-h';
}

/** What follows `--` is no option, whatever it looks like. */
function endOfOptions(argv: readonly string[]): number {
  const end = argv.indexOf('--');
  return end < 0 ? argv.length : end;
}
