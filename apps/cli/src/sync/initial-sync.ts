/** The first sync of a storage that was just added: whether there is one, and from where (reference §5.6). */

import { isLocal, shellWord, type AddedStorage, type StorageParams } from '@wl/adapters/manifests';
import { ControlClientError } from '@wl/adapters/socket';

import type { Services } from '../context.js';
import { CommandFailure } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { credentialsHint } from '../format/credentials-hint.js';
import { usableStorages } from '../lookup.js';
import { reportOutcome } from './report-outcome.js';
import { startRequest } from './start-request.js';

/** What to do about a new storage. */
export type InitialSync =
  | { readonly kind: 'skip'; readonly why: string }
  /** One pass from `source` to the new storage, which changes the source in nothing. */
  | { readonly kind: 'sync'; readonly source: StorageParams };

/** The conditions of the original, in its order. */
export function initialSync(added: StorageParams, all: readonly StorageParams[], isSkipped: boolean): InitialSync {
  const skip = (why: string): InitialSync => ({ kind: 'skip', why });
  if (isSkipped) return skip('as asked for');
  const others = all.filter((storage) => storage['backend-id'] !== added['backend-id']);
  const source = others.find(isLocal) ?? others[0];
  if (source === undefined) return skip('it is the only storage of its container');
  if (isLocal(added)) return skip('it is local');
  if (added['read-only'] === true) return skip('it is read-only');
  return { kind: 'sync', source };
}

/** Fills a new storage, or says why not. The storage stays in its container even when that fails. */
export async function fillNewStorage(services: Services, added: AddedStorage, options: { readonly isSkipped: boolean }): Promise<ExitCode> {
  const { output, oneShot } = services;
  const { container, storage } = added;
  const decision = initialSync(storage, await usableStorages(services, container), options.isSkipped);
  if (decision.kind === 'skip') {
    output.line(`Skipping initial sync of the storage: ${decision.why}.`);
    return EXIT.ok;
  }
  const request = startRequest(container, decision.source, storage, { isOneShot: true, isUnidirectional: true });
  try {
    const outcome = await oneShot.run(request, async (answer) => {
      output.line(answer);
    });
    const exitCode = reportOutcome(services, outcome, { isDryRun: false });
    if (exitCode !== EXIT.failed) return exitCode;
  } catch (error) {
    if (!(error instanceof ControlClientError) || error.origin !== 'daemon') throw error;
    throw failed(services, added, error);
  }
  throw failed(services, added);
}

/** What the user is left with, and how to go on or back. */
function failed({ toCommand }: Services, { container, storage }: AddedStorage, cause?: ControlClientError): CommandFailure {
  const command = (words: string): string => `\`${toCommand(words)}\``;
  const again = command(`wl container sync ${shellWord(container.name)}`);
  const back = command(`wl storage delete --force ${shellWord(storage['backend-id'])}`);
  const why = cause === undefined ? '' : `: ${cause.desc}`;
  return new CommandFailure(
    `Failed to sync storage for container ${container.uuid}${why}\nThe storage stays in the container: ${again} tries again, ${back} takes it out`,
    EXIT.failed,
    { cause, hint: cause && credentialsHint([cause.message], toCommand, 'credentials' in storage) },
  );
}
