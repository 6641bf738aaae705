/** How a request names the object that the server is to copy from, and asks for one version of it. */

import type { CopySource } from '../s3-api.js';

import { encodeKey, encodePart, type Pair } from './uri-encoding.js';

/** Headers of a copy; `bucket`: the one that is written to. */
export function sourceHeaders(source: CopySource, bucket: string): readonly Pair[] {
  const version = source.versionId === undefined ? '' : `?versionId=${encodePart(source.versionId)}`;
  return [
    ['x-amz-copy-source', `/${source.bucket ?? bucket}/${encodeKey(source.key)}${version}`],
    ['x-amz-copy-source-if-match', `"${source.etag}"`],
    // Ceph reads this one, and compares the bare tag.
    ['x-amz-copy-if-match', source.etag],
  ];
}
