/**
 * What to know when a storage says that we may not: the daemon runs in the background with the
 * environment of the command that started it, and a request to it carries no credentials but
 * those stored with the storage. Keys set in a shell later on never reach it.
 */

/** The code of a `BackendError`, as its message shows it. Who cannot connect over SSH is told in that message what to do. */
const UNAUTHORIZED = /(?<!unable to connect): unauthorized(?: \(|[.;,]|$)/;

/** A sentence where one of the texts tells of refused credentials. `isStored`: whether the storage has credentials of its own, where known. */
export function credentialsHint(
  texts: readonly (string | undefined)[],
  toCommand: (command: string) => string,
  isStored?: boolean,
): string | undefined {
  if (!texts.some((text) => text !== undefined && UNAUTHORIZED.test(text))) return undefined;
  if (isStored === true) return 'Hint: the credentials stored with this storage were used; take it out and add it again to store others.';
  const restart = `\`${toCommand('wl stop')}\``;
  return (
    'Hint: credentials that are not stored with the storage come from the environment of the command that started the sync daemon. ' +
    `After setting others run ${restart} and sync again, or store them with the storage: ${toCommand('wl storage create s3')} … --access-key KEY`
  );
}
