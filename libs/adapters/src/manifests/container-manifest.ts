/**
 * A container as the rest of the program sees it, and its ids.
 */

import type { Container } from '@wl/ports/schemas';

/** A container manifest that was opened: signature and form are right, it has a uuid. */
export interface ContainerManifest {
  readonly file: string;
  /** How the user calls it: the file's name without its endings. */
  readonly name: string;
  /** Fingerprint. */
  readonly owner: string;
  readonly uuid: string;
  /** Old names upgraded, the path below `/.uuid/` first. */
  readonly data: Container;
}

const UUID_DIRECTORY = '/.uuid/';

/** The uuid in a container's paths, `undefined` when none is there. */
export function uuidOfPaths(paths: readonly string[]): string | undefined {
  const uuid = paths.find(isUuidPath)?.slice(UUID_DIRECTORY.length).split('/').at(-1);
  return uuid === '' ? undefined : uuid;
}

/** The path that gives a container its identity. */
export function toUuidPath(uuid: string): string {
  return UUID_DIRECTORY + uuid;
}

/** The container's paths with the one below `/.uuid/` first. */
export function uuidFirst(paths: readonly string[]): string[] {
  const first = paths.find(isUuidPath);
  return first === undefined ? [...paths] : [first, ...paths.filter((path) => path !== first)];
}

/** `owner|uuid`: what the jobs of a container have in common. */
export function containerId(container: Pick<ContainerManifest, 'owner' | 'uuid'>): string {
  return `${container.owner}|${container.uuid}`;
}

/** `owner|uuid|<target backend-id>`: one job for each target of a container. */
export function jobId(container: Pick<ContainerManifest, 'owner' | 'uuid'>, target: { readonly 'backend-id': string }): string {
  return `${containerId(container)}|${target['backend-id']}`;
}

function isUuidPath(path: string): boolean {
  return path.startsWith(UUID_DIRECTORY);
}
