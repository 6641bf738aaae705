/** The overview of commands, and the help of one. */

import { Cli } from 'clipanion';

import { COMMANDS, type CommandClass } from './commands/index.js';
import type { CliContext } from './context.js';
import { VERSION } from './version.js';

const EXIT_CODES = `Exit codes:
  0    done; of a sync that was waited for: both sides agree
  1    failure, or the sync halted itself
  2    wrong usage
  3    done, but conflicts or paths that are not in sync remain
  130  interrupted`;

const DEFAULT_CATEGORY = 'Daemon';

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
  return createCli([command]).usage(command, { colored: false, detailed: true, prefix: '' });
}
