/** What all commands have in common: the global options, and how a context of theirs looks. */

import { Command, Option } from 'clipanion';

import type { CliContext, GlobalOptions } from './context.js';
import type { ExitCode } from './exit-codes.js';
import type { Verbosity } from './output.js';

/** A command of `wl`. Failures are thrown (`CommandFailure`, `ControlClientError`); the program prints them. */
export abstract class WlCommand extends Command<CliContext> {
  baseDir = Option.String('--base-dir', { description: 'where configuration and manifests are (default: ~/.config/wildland)' });
  verbose = Option.Boolean('-v,--verbose', false, { description: 'say more on standard error' });
  quiet = Option.Boolean('-q,--quiet', false, { description: 'say nothing but results and errors' });
  debug = Option.Boolean('--debug', false, { description: 'show where an error comes from' });

  /** Runs the command; returns one of the codes in `exit-codes.ts`. */
  abstract override execute(): Promise<ExitCode>;

  /** The global options as they were given. */
  get globals(): GlobalOptions {
    const verbosity: Verbosity = this.verbose ? 'verbose' : this.quiet ? 'quiet' : 'normal';
    return { baseDir: this.baseDir, verbosity, isDebugging: this.debug };
  }
}
