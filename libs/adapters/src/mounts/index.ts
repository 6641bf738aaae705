/** Where the file system shows storages. */

export { mountFinder, type MountHost, type MountParts } from './find-mount.js';
