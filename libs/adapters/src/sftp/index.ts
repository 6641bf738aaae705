/** Folders of SFTP servers as storages. */

export { createSftpBackend } from './create-sftp-backend.js';
export { fingerprintOf } from './host-trust.js';
export type { SftpHost, SftpParams } from './sftp-params.js';
