/** Where the real server is that `*.s3.ts` run against; without one they fail, they never pass silently. */

import type { RawTarget } from './signed-request.js';

/** The server named by the environment; throws a sentence when there is none. */
export function realServer(env: Readonly<Record<string, string | undefined>> = process.env): RawTarget {
  const wanted = ['WL_S3_ENDPOINT', 'WL_S3_ACCESS_KEY', 'WL_S3_SECRET_KEY'] as const;
  const missing = wanted.filter((name) => (env[name] ?? '') === '');
  if (missing.length > 0) throw new Error(`These tests need a real S3 server: set ${missing.join(', ')} (and WL_S3_REGION unless it is us-east-1).`);
  return {
    endpoint: env['WL_S3_ENDPOINT'] as string,
    accessKey: env['WL_S3_ACCESS_KEY'] as string,
    secretKey: env['WL_S3_SECRET_KEY'] as string,
    region: env['WL_S3_REGION'] ?? 'us-east-1',
  };
}
