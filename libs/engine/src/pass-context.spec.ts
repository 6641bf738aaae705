/** Rows on their way to the baseline: in the order in which they came, whoever writes them. */

import { describe, expect, it } from '@jest/globals';
import { directoryKey, toRelativePath } from '@wl/domain';

import { BaselineWriter } from './pass-context.js';
import { Rig } from './testing/rig.js';

const put = (path: string) => ({ kind: 'put', key: directoryKey(toRelativePath(path)), row: { kind: 'directory' } }) as const;
const forget = (path: string) => ({ kind: 'delete-subtree', key: directoryKey(toRelativePath(path)) }) as const;

async function opened(): Promise<{ rig: Rig; writer: BaselineWriter }> {
  const rig = new Rig();
  await rig.source.open();
  await rig.target.open();
  return { rig, writer: new BaselineWriter(rig.context(), async () => undefined) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the writer of rows', () => {
  it('INV-12: writes what was added first before what was added later, though the first flush takes longer', async () => {
    const { rig, writer } = await opened();
    let releaseFirst: (() => void) | undefined;
    const stop = rig.target.faults.on('flush', 'before', () => {
      stop();
      return new Promise<void>((resolve) => (releaseFirst = resolve));
    });
    writer.add(put('d'));
    writer.add(put('d/e'));
    const first = writer.flush(true);
    await turn();
    writer.add(forget('d'));
    const second = writer.flush(true);
    await turn();
    expect(rig.pair.get(put('d').key)).toBeUndefined();
    releaseFirst!();
    await Promise.all([first, second]);
    for (const path of ['d', 'd/e']) expect(rig.pair.get(put(path).key)).toBeUndefined();
  });

  it('goes on after a flush that failed, with what was added since', async () => {
    const { rig, writer } = await opened();
    rig.target.faults.fail('flush', { code: 'io-error' });
    writer.add(put('a'));
    await expect(writer.flush(true)).rejects.toMatchObject({ code: 'io-error' });
    writer.add(put('b'));
    rig.target.faults.clear();
    await writer.flush(true);
    expect(rig.pair.get(put('b').key)).toEqual({ kind: 'directory' });
  });
});
