/** Configuration, keys and manifests of a base directory, and the rules that need no more than these. */

export { chooseStorages, type ChoiceRefusal, type ChoiceRefusalCode, type ChosenStorages, type StorageChoice } from './choose-storages.js';
export { configDefaults, ConfigStore, type ConfigChange, type ConfigStoreOptions, type ConfigValues, type LoadedConfig } from './config-store.js';
export { containerId, jobId, type ContainerManifest } from './container-manifest.js';
export { ContainerStore, type ContainerChange, type ContainerListing, type NewContainer } from './container-store.js';
export { KeyStore } from './key-store.js';
export type { PublicKey, SecretKey } from './keys.js';
export { shellWord } from './manifest.js';
export {
  canonicalPath,
  checkSocketPath,
  defaultBaseDirectory,
  defaultSyncSocketPath,
  resolveBaseDirectory,
  resolveLogPath,
  type Environment,
} from './paths.js';
export { HIDDEN, redactSecrets, redactUrl } from './redact.js';
export { forgetTarget, rememberTarget } from './remembered-target.js';
export { parseEndpointUrl, parseS3Url, parseServerSideEncryption, s3Overlap, s3PlaceOf, type S3Place } from './s3-storage.js';
export { describeSchemaErrors } from './schema-errors.js';
export { isHostKeyFingerprint, sftpOverlap, sftpPlaceOf, sftpText, type SftpPlace } from './sftp-storage.js';
export { openSetup, type Setup, type SetupOptions } from './setup.js';
export type { SetupError, SetupErrorCode } from './setup-error.js';
export { storageFromArgument } from './storage-argument.js';
export { deterministicBackendId, isLocal, LOCAL_TYPES, placeOnDisk, type StorageParams } from './storage-params.js';
export { StorageStore, type AddedStorage, type ContainerStorages, type StorageListing, type StorageManifest } from './storage-store.js';
export { parseWebdavUrl, webdavOverlap, webdavUrlOf } from './webdav-storage.js';
export { UserStore, type UserListing, type UserManifest } from './user-store.js';
export { writeYaml } from './yaml-edit.js';
