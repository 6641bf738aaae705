/**
 * In which region a bucket is, and at which host it is asked there. What the endpoint says
 * about the region is believed over what was configured, and remembered.
 */

import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

import type { S3Location } from '../s3-location.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** How requests reach a bucket. */
export interface Address {
  readonly origin: string;
  /** For the `Host` header. */
  readonly host: string;
  /** What comes before `/key` in a path: `''` or `/bucket`. */
  readonly basePath: string;
}

/** Region where nobody named one. */
export const DEFAULT_REGION = 'us-east-1';

/** Address of the bucket in a region. */
export function addressOf(location: S3Location, region: string): Address {
  const endpoint = new URL(location.endpointOrigin ?? `https://s3.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`);
  const host = location.isPathStyle ? endpoint.host : `${location.bucket}.${endpoint.host}`;
  return { origin: `${endpoint.protocol}//${host}`, host, basePath: location.isPathStyle ? `/${location.bucket}` : '' };
}

/** Whether a text can be a region; it becomes part of a host name. */
export function isRegion(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(text);
}

/** Region by parameter, environment or shared configuration, in this order. */
export async function findRegion(configured: string | undefined, env: Environment, loadSharedRegion: () => Promise<string | undefined>): Promise<string> {
  const named = [configured, env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find((region) => region !== undefined && region !== '');
  if (named !== undefined) return named;
  // Most machines have no shared configuration, and then the SDK need not be loaded to read it.
  const shared = (await hasSharedConfiguration(env)) ? await loadSharedRegion() : undefined;
  return shared !== undefined && isRegion(shared) ? shared : DEFAULT_REGION;
}

async function hasSharedConfiguration(env: Environment): Promise<boolean> {
  const home = path.join(env['HOME'] ?? env['USERPROFILE'] ?? homedir(), '.aws');
  const files = [env['AWS_CONFIG_FILE'] ?? path.join(home, 'config'), env['AWS_SHARED_CREDENTIALS_FILE'] ?? path.join(home, 'credentials')];
  const found = await Promise.all(files.map((file) => access(file).then(() => true, () => false)));
  return found.includes(true);
}
