/**
 * What comes from the official SDK, loaded when it is first needed: its chain of credential
 * providers and its reading of the shared configuration. It gets a logger that says nothing,
 * and does not warn about versions of Node.js.
 */

import type { CredentialChain } from './credentials.js';

const ignore = (): void => undefined;
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore, trace: ignore };

/** The SDK's standard chain. Reads the environment of the process, as the SDK does. */
export async function loadSdkChain(): Promise<CredentialChain> {
  // The SDK prints which versions of Node.js it will end to support; that is ours to know.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  return defaultProvider({ logger: SILENT });
}

/** Region of the shared configuration (profile `AWS_PROFILE`, else `default`), if there is one. */
export async function loadSharedRegion(): Promise<string | undefined> {
  const { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } = await import('@smithy/core/config');
  const options = { ...NODE_REGION_CONFIG_OPTIONS, default: '' };
  const region = await loadConfig(options, { ...NODE_REGION_CONFIG_FILE_OPTIONS, logger: SILENT })().catch(() => '');
  return region === '' ? undefined : region;
}
