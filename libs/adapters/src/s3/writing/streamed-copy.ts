/** A copy whose bytes pass through this machine, where the server's own copy would be too large or less safe. */

import { createHash } from 'node:crypto';

import { notAsAnnounced } from './large-upload.js';
import { ObjectWriter } from './object-writer.js';
import type { CopyJob, CopyResult } from './server-copy.js';
import type { Sizes } from './sizes.js';

/** Reads the version asked for and writes it, verified on both ends (INV-27). */
export async function copyByStream(job: CopyJob, sizes: Sizes): Promise<CopyResult> {
  const { context, source, target, sha256, signal } = job;
  const { sizeBytes } = source.head;
  const opened = await source.api.getObject(source.key, source.head.etag, 0, signal);
  if (opened === 'stale') return { kind: 'source-changed' };
  const attributes = { ...job.attributes, content: { sha256, sizeBytes } };
  const writer = new ObjectWriter(context, { ...target, attributes }, signal, sizes);
  try {
    const hash = createHash('sha256');
    for await (const chunk of opened.body) {
      hash.update(chunk);
      await writer.write(chunk);
    }
    if (hash.digest('hex') !== sha256) throw notAsAnnounced('what was read is not what the source was known to hold');
    const committed = await writer.commit({ sha256, sizeBytes });
    return committed.ok ? { kind: 'done', token: committed.value.token } : { kind: 'target-changed' };
  } finally {
    opened.destroy();
    await writer.abort();
  }
}
