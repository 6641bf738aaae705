/** All commands, in the order of the help. */

import { ContainerCreateCommand } from './container-create.js';
import { ContainerDeleteCommand } from './container-delete.js';
import { ContainerInfoCommand, ContainerListCommand } from './container-list.js';
import { ContainerListConflictsCommand } from './container-list-conflicts.js';
import { ContainerModifyCommand } from './container-modify.js';
import { ContainerResolveCommand } from './container-resolve.js';
import { ContainerStopSyncCommand } from './container-stop-sync.js';
import { ContainerSyncCommand } from './container-sync.js';
import { StartCommand, StopCommand } from './daemon-start-stop.js';
import { PluginAddCommand } from './plugin-add.js';
import { PluginDoctorCommand, PluginListCommand } from './plugin-list.js';
import { PluginNewCommand } from './plugin-new.js';
import { PluginRemoveCommand } from './plugin-remove.js';
import { ContainerSignCommand, StorageSignCommand } from './sign.js';
import { StatusCommand } from './status.js';
import { StorageCheckCommand } from './storage-check.js';
import { StorageCreateLocalCommand } from './storage-create-local.js';
import { StorageCreateOtherCommand } from './storage-create-other.js';
import { StorageCreateS3Command } from './storage-create-s3.js';
import { StorageCreateSftpCommand } from './storage-create-sftp.js';
import { StorageCreateWebdavCommand } from './storage-create-webdav.js';
import { StorageCreateZipCommand } from './storage-create-zip.js';
import { StorageDeleteCommand } from './storage-delete.js';
import { StorageListCommand } from './storage-list.js';
import { VersionCommand } from './version.js';

/** Every command of `wl`. */
export const COMMANDS = [
  ContainerCreateCommand,
  ContainerListCommand,
  ContainerInfoCommand,
  ContainerSyncCommand,
  ContainerStopSyncCommand,
  ContainerListConflictsCommand,
  ContainerResolveCommand,
  ContainerModifyCommand,
  ContainerSignCommand,
  ContainerDeleteCommand,
  StorageCreateLocalCommand,
  StorageCreateS3Command,
  StorageCreateOtherCommand,
  StorageCreateSftpCommand,
  StorageCreateWebdavCommand,
  StorageCreateZipCommand,
  StorageListCommand,
  StorageCheckCommand,
  StorageSignCommand,
  StorageDeleteCommand,
  PluginAddCommand,
  PluginListCommand,
  PluginDoctorCommand,
  PluginRemoveCommand,
  PluginNewCommand,
  StatusCommand,
  StartCommand,
  StopCommand,
  VersionCommand,
] as const;

/** The class of one of them. */
export type CommandClass = (typeof COMMANDS)[number];
