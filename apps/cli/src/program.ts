/**
 * `wl` from its arguments to its exit code: finds the command, reads its options, runs it, and
 * turns whatever goes wrong into one line on standard error. Takes its outside as arguments, so
 * that tests run all of it in one process.
 */

import { resolveWords } from './command-words.js';
import { COMMANDS, type CommandClass } from './commands/index.js';
import type { GlobalOptions, Services } from './context.js';
import { CommandFailure, describeFailure } from './errors.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { credentialsHint } from './format/credentials-hint.js';
import { argumentsOf, commandHelp, createCli, overview, usageOf } from './help.js';
import { Output, type OutputStream } from './output.js';
import { findMistake, splitValues } from './usage-problem.js';
import { VERSION } from './version.js';
import type { WlCommand } from './wl-command.js';

/** The outside of a run. */
export interface Program {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: NodeJS.ProcessEnv;
  /** Makes the parts that the command works with. */
  readonly open: (options: GlobalOptions) => Services;
}

/** Runs one command line (without `node` and the program's name). Never rejects. */
export async function runProgram(argv: readonly string[], program: Program): Promise<ExitCode> {
  const output = new Output(program.stdout, program.stderr, program.env);
  const resolved = resolveWords(argv, COMMANDS.flatMap(({ paths }) => paths));
  switch (resolved.kind) {
    case 'version':
      output.line(`wl ${VERSION}`);
      return EXIT.ok;
    case 'help':
      program.stdout.write(helpFor(resolved.words));
      return EXIT.ok;
    case 'unknown':
      output.error(`Error: ${resolved.message}`);
      return EXIT.usage;
    case 'incomplete':
      output.error(`Error: 'wl ${resolved.words.join(' ')}' needs one of these commands:\n\n${overview(resolved.words)}`);
      return EXIT.usage;
    case 'command': {
      const commandClass = commandAt(resolved.words);
      const command = commandClass && readOptions(resolved.words, splitValues(resolved.rest), commandClass, program, output);
      if (command === undefined) return EXIT.usage;
      if (command.globals.verbosity !== 'quiet') {
        for (const { typed, word } of resolved.understood) output.error(`Understood '${typed}' as '${word}'`);
      }
      return runCommand(command, program, output);
    }
  }
}

async function runCommand(command: WlCommand, program: Program, output: Output): Promise<ExitCode> {
  let services: Services | undefined;
  try {
    services = program.open(command.globals);
    command.context = {
      ...services,
      get stdin() {
        return program.stdin;
      },
      stdout: program.stdout,
      stderr: program.stderr,
      colorDepth: 1,
      env: program.env,
    } as typeof command.context;
    return await command.execute();
  } catch (error) {
    const { text, exitCode } = describeFailure(error);
    output.error(`Error: ${text}`);
    const own = error instanceof CommandFailure ? error.hint : undefined;
    const hint = own ?? credentialsHint([text], services?.toCommand ?? ((suggested) => suggested));
    if (hint !== undefined) output.error(hint);
    if (command.globals.isDebugging && error instanceof Error) output.error(stackOf(error));
    return exitCode;
  } finally {
    services?.daemon.close();
  }
}

/** The command with its options set; `undefined` when they are wrong, which has been said then. */
function readOptions(
  words: readonly string[],
  rest: readonly string[],
  commandClass: CommandClass,
  program: Program,
  output: Output,
): WlCommand | undefined {
  const cli = createCli([commandClass]);
  try {
    // The context follows once the options have said for which base directory.
    return cli.process([...words, ...rest], {} as never) as WlCommand;
  } catch (error) {
    const problem = findMistake(rest, argumentsOf(commandClass)) ?? (error instanceof Error ? error.message : String(error));
    output.error(`Error: ${problem}\n\n${usageOf(commandClass)}\nhelp:  wl ${commandClass.paths[0]?.join(' ')} --help`);
    return undefined;
  }
}

function helpFor(words: readonly string[]): string {
  const command = commandAt(words);
  return command === undefined ? overview(words) : commandHelp(command);
}

function commandAt(words: readonly string[]): CommandClass | undefined {
  return COMMANDS.find(({ paths }) => paths.some((path) => path.length === words.length && path.every((word, depth) => words[depth] === word)));
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${stackOf(error.cause)}` : '';
  return (error.stack ?? error.message) + cause;
}
