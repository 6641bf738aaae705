/** The overview of commands, and the help of one. */

import { Cli } from 'clipanion';

import { COMMANDS, type CommandClass } from './commands/index.js';
import type { CliContext } from './context.js';
import type { KnownArguments } from './usage-problem.js';
import { VERSION } from './version.js';

const EXIT_CODES = `Exit codes:
  0    done; of a sync that was waited for: both sides agree
  1    failure, or the sync halted itself
  2    wrong usage
  3    done, but conflicts or paths that are not in sync remain
  130  interrupted`;

const DEFAULT_CATEGORY = 'Daemon';

/** What stands for an option's value; the parser would print `#0`. */
const VALUE_WORDS: Readonly<Record<string, string>> = {
  '--access-key': 'KEY',
  '--backend-id': 'ID',
  '--base-dir': 'DIR',
  '--container': 'CONTAINER',
  '--endpoint-url': 'URL',
  '--field': 'KEY=VALUE',
  '--host': 'HOST',
  '--host-key': 'SHA256:…',
  '--identity': 'FILE',
  '--keep': 'SIDE',
  '--location': 'DIR',
  '--login': 'LOGIN',
  '--mount-path': 'DIR',
  '--owner,--user': 'USER',
  '--passphrase': '-',
  '--passwd': '-',
  '--password': '-',
  '--path': 'DIR',
  '--port': 'PORT',
  '--region': 'REGION',
  '--s3-url': 'URL',
  '--secret-field': 'KEY',
  '--secret-key': '-',
  '--source-storage': 'STORAGE',
  '--sse': 'KIND',
  '--storage': 'PLACE',
  '--storage-class': 'CLASS',
  '--syncer': 'NAME',
  '--target-storage': 'STORAGE',
  '--type': 'TYPE',
  '--url': 'URL',
  '--watcher-interval': 'SECONDS',
};
const DEFAULT_VALUE_WORD = 'TEXT';

/** A parser that knows one command, or all of them. */
export function createCli(commands: readonly CommandClass[]): Cli<CliContext> {
  return Cli.from<CliContext>([...commands], { binaryLabel: 'wl', binaryName: 'wl', binaryVersion: VERSION, enableColors: false });
}

/** All commands whose words begin with `words`. */
export function overview(words: readonly string[]): string {
  const below = COMMANDS.filter(({ paths }) => paths.some((path) => words.every((word, depth) => path[depth] === word)));
  const rows = below.flatMap((command) =>
    command.paths.slice(0, 1).map((path) => ({
      category: command.usage.category ?? DEFAULT_CATEGORY,
      name: ['wl', ...path].join(' '),
      description: command.usage.description ?? '',
    })),
  );
  const width = Math.max(...rows.map(({ name }) => name.length));
  const categories = [...new Set(rows.map(({ category }) => category))];
  const sections = categories.map((category) =>
    [`${category}:`, ...rows.filter((row) => row.category === category).map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`)].join('\n'),
  );
  const head = words.length === 0 ? [`wl ${VERSION}: keeps directories and other storages in sync\n\nusage: wl [--base-dir DIR] COMMAND ...`] : [];
  const tail = ['Help for one command: wl COMMAND --help', ...(words.length === 0 ? [EXIT_CODES] : [])];
  return `${[...head, ...sections, ...tail].join('\n\n')}\n`;
}

/** The help of one command. */
export function commandHelp(command: CommandClass): string {
  const { description = '', details = '', examples = [] } = command.usage;
  const { own, common } = optionsOf(command);
  const width = Math.max(...[...own, ...common].map(({ names }) => names.length));
  const optionList = (title: string, options: readonly OptionHelp[]): string =>
    [`${title}:`, ...options.map(({ names, text }) => `  ${names.padEnd(width)}  ${text}`)].join('\n');
  const sections = [
    capitalize(description),
    usageOf(command),
    ...(own.length === 0 ? [] : [optionList('Options', own)]),
    optionList('Options of every command', common),
    ...paragraphsOf(details).map((paragraph) => wrap(paragraph)),
    ...examples.map(([text, example]) => `${text}:\n  ${example.replaceAll('$0', 'wl')}`),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** `usage: wl container sync [options] CONTAINER`. */
export function usageOf(command: CommandClass): string {
  const [path = []] = command.paths;
  const required = optionsOf(command).own.filter(({ isRequired }) => isRequired).map(({ names }) => names);
  const words = [...path, ...required, '[options]', ...positionalsOf(command).map((word) => word.replace(/^<(.*)>$/, '$1'))];
  return `usage: wl ${words.join(' ')}`;
}

/** What a command takes, for finding mistakes. */
export function argumentsOf(command: CommandClass): KnownArguments {
  const { own, common } = optionsOf(command);
  const positionals = positionalsOf(command);
  const names = positionals.filter((word) => word !== '...');
  return {
    options: [...own, ...common].map(({ names: text, isRequired }) => ({
      names: text.replace(/ .*/, '').split(','),
      takesValue: text.includes(' '),
      isRequired,
    })),
    positionals: {
      least: names.filter((word) => !word.startsWith('[')).length,
      most: positionals.includes('...') ? Infinity : names.length,
    },
  };
}

/** `<NAME>` and `[NAME]`, as the parser writes them, and `...` for any number of the last one. */
function positionalsOf(command: CommandClass): string[] {
  const [path = []] = command.paths;
  const usage = createCli([command]).definitions()[0]?.usage ?? '';
  return usage.split(' ').slice(1 + path.length).filter((word) => !word.startsWith('<-') && !word.startsWith('[-'));
}

interface OptionHelp {
  /** `-n,--dry-run`, `--location DIR`. */
  readonly names: string;
  readonly text: string;
  readonly isRequired: boolean;
}

function optionsOf(command: CommandClass): { readonly own: readonly OptionHelp[]; readonly common: readonly OptionHelp[] } {
  const definition = createCli([command]).definitions()[0];
  const options = (definition?.options ?? []).map(({ definition: names, description = '', required }) => ({
    names: names.replace(/^(.*) #0$/, (_, bare: string) => `${bare} ${VALUE_WORDS[bare] ?? DEFAULT_VALUE_WORD}`),
    text: description.trim().replaceAll(/\s+/g, ' '),
    isRequired: required,
  }));
  const isCommon = ({ names }: OptionHelp): boolean => COMMON_OPTIONS.some((name) => names.startsWith(name));
  return { own: options.filter((option) => !isCommon(option)), common: options.filter(isCommon) };
}

const COMMON_OPTIONS = ['--base-dir', '-v,', '-q,', '--debug'];
const LINE_WIDTH = 90;

function paragraphsOf(text: string): string[] {
  return text.split(/\n\s*\n/).map((paragraph) => paragraph.trim().replaceAll(/\s+/g, ' ')).filter((paragraph) => paragraph !== '');
}

function wrap(paragraph: string): string {
  const lines = [''];
  for (const word of paragraph.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= LINE_WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

function capitalize(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
