/** The lock that lets one daemon at a time use a base directory. */

export { acquireBaseLock, readBaseLockOwner, type BaseLock } from './base-lock.js';
