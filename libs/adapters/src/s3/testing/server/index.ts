/** An S3 server for tests: real HTTP, objects in memory, variants of real servers, faults by script. */

import { type S3ServerOptions } from './server-options.js';
import { S3TestServer } from './s3-test-server.js';

export type { Versioning } from './bucket.js';
export { BucketHands, type OutsiderProperties, type SeenObject } from './bucket-hands.js';
export type { Fault, FaultEffect, FaultScript } from './faults.js';
export type { Hook, HookScope } from './hooks.js';
export type { PageTrick } from './page-trick.js';
export type { LoggedRequest, RequestLog } from './request-log.js';
export type { Operation } from './s3-request.js';
export type { S3ServerOptions } from './server-options.js';
export { S3TestServer } from './s3-test-server.js';
export type { ConditionRule, S3Variant, VariantName } from './variant.js';
export { variants } from './variant.js';

/** Starts a server on a port of its own; `close` it in the end. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3TestServer> {
  const server = new S3TestServer(options);
  await server.listen();
  return server;
}
