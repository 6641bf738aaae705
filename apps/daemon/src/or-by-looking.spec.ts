import { describe, expect, it } from '@jest/globals';
import { BackendError, type BackendErrorCode, type Watcher } from '@wl/ports';
import { RecordingListener } from '@wl/ports/testing';

import { OrByLooking } from './or-by-looking.js';

/** A watcher that does not start. */
function refusing(code: BackendErrorCode): Watcher & { stopped: number } {
  return {
    description: 'inotify',
    stopped: 0,
    start: () => Promise.reject(new BackendError(code, { operation: 'watch', path: '/photos', retryable: false }, { explanation: 'raise the limit' })),
    stop() {
      this.stopped += 1;
      return Promise.resolve();
    },
  };
}

describe('T07, T62: a watcher that the system has no room for', () => {
  it.each(['too-many-open-files', 'unsupported'] as const)('starts all the same and says what it cannot do (%s)', async (code) => {
    const inner = refusing(code);
    const watcher = new OrByLooking(inner);
    const listener = new RecordingListener();
    expect(watcher.description).toBe('inotify');
    await watcher.start(listener);
    expect(listener.messages).toEqual([expect.stringContaining('raise the limit')]);
    expect(watcher.description).toBe('by full passes');
    await watcher.stop();
    expect(inner.stopped).toBe(1);
  });

  it.each(['not-found', 'permission-denied', 'cancelled', 'io-error'] as const)('does not start where there is nothing to look at (%s)', async (code) => {
    const listener = new RecordingListener();
    await expect(new OrByLooking(refusing(code)).start(listener)).rejects.toMatchObject({ code });
    expect(listener.messages).toEqual([]);
  });
});
