/** Prints how a one-shot run ended, and says with which exit code. */

import type { Services } from '../context.js';
import { EXIT, exitCodeOf, type ExitCode } from '../exit-codes.js';
import type { OneShotOutcome } from './one-shot-runner.js';
import { interruptedText, planSummary, summaryOf } from './summary.js';

/** Prints the end of a run: results on standard output, reasons on standard error. */
export function reportOutcome(
  { output, toCommand }: Pick<Services, 'output' | 'toCommand'>,
  outcome: OneShotOutcome,
  { isDryRun }: { readonly isDryRun: boolean },
): ExitCode {
  switch (outcome.kind) {
    case 'finished': {
      const summary = isDryRun ? planSummary(outcome.job, toCommand) : summaryOf(outcome.job, toCommand);
      output.lines(summary.lines);
      for (const line of summary.errors) output.error(line);
      return exitCodeOf(outcome.job);
    }
    case 'interrupted':
      output.error(interruptedText(outcome.job));
      return EXIT.interrupted;
    case 'abandoned':
      output.error(`Left without waiting; the daemon is still stopping the sync. Every file is whole; the same command goes on from there.`);
      return EXIT.interrupted;
    case 'stopped':
      output.error('Error: the sync was stopped by another command. Every file is whole; the same command goes on from here.');
      return EXIT.failed;
  }
}
