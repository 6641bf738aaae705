/** Who watches the watchman: an engine that does wrong, by hand, is blamed for it. */

import { describe, expect, it } from '@jest/globals';
import { directoryKey, fileKey, toRelativePath as at, toSha256, type Token } from '@wl/domain';

import { hashOf } from './testing/simulator/oracle.js';
import type { WorldSpec } from './testing/simulator/scenario.js';
import { World } from './testing/simulator/index.js';

const SPEC: WorldSpec = {
  machines: 1,
  mode: 'one-shot',
  isUnidirectional: false,
  folder: {},
  shared: {},
  allowMassDelete: true,
  ignored: [],
  initial: [],
};

/** A world whose one machine has agreed on `a` and `d/b`, a minute ago. */
async function agreed(spec: Partial<WorldSpec> = {}) {
  const world = new World({ ...SPEC, ...spec }, () => undefined);
  world.populate(['a', 'd/b']);
  await world.clock.advance(60_000);
  const machine = world.machines[0]!;
  await world.clock.runUntil(machine.pass(true));
  expect(world.oracle.violations).toEqual([]);
  const edit = (place: number, gesture: 'write' | 'remove', path: string): void => world.happen({ kind: 'edit', place, gesture, path, to: path });
  const blamed = (): string => world.oracle.violations.join('; ');
  /** What a defective engine would do. */
  const source = machine.storage('source');
  const target = machine.storage('target');
  const token = async (side: typeof source, path: string): Promise<Token> => (await side.getFileToken(at(path)))!;
  const put = async (side: typeof source, path: string, text: string, expected?: Token): Promise<void> => {
    const writer = await side.openForSafeReplace(at(path), expected, { mtimeMs: 0 });
    await writer.write(new TextEncoder().encode(text));
    await writer.commit({ sha256: toSha256(hashOf(text)), sizeBytes: text.length });
  };
  return { world, machine, edit, blamed, source, target, token, put };
}

describe('the oracle blames an engine', () => {
  it('INV-8: that removes what nobody removed on the other side', async () => {
    const { blamed, target, token } = await agreed();
    await target.remove(at('a'), await token(target, 'a'));
    expect(blamed()).toContain('INV-8, INV-9: a on the shared storage');
  });

  it('and not one that removes what somebody did remove there', async () => {
    const { blamed, edit, target, token } = await agreed();
    edit(1, 'remove', 'a');
    await target.remove(at('a'), await token(target, 'a'));
    expect(blamed()).toBe('');
  });

  it('INV-12: that removes or replaces what the baseline does not know', async () => {
    const { blamed, edit, target, token } = await agreed();
    edit(0, 'write', 'new');
    await target.remove(at('new'), await token(target, 'new'));
    expect(blamed()).toContain('INV-12: new on the shared storage');
  });

  it('INV-5, INV-17: that replaces another version than the one agreed on', async () => {
    const { blamed, edit, target, token, put } = await agreed();
    edit(0, 'write', 'a');
    edit(1, 'write', 'a');
    await put(target, 'a', 'v0003', await token(target, 'a'));
    expect(blamed()).toContain('INV-5, INV-17: a on the shared storage');
  });

  it('INV-6: that shows what nobody wrote, or what was never there on the other side', async () => {
    const { blamed, target, put } = await agreed();
    await put(target, 'torn', 'v00');
    await put(target, 'astray', 'v0001');
    expect(blamed()).toContain('INV-6: torn on the shared storage (machine 1) (nothing -> "v00") shows what nobody wrote');
    expect(blamed()).toContain('INV-6: astray on the shared storage (machine 1) (nothing -> "v0001") was never there');
  });

  it('INV-7, INV-36: that touches an untouched conflict, or lets it end by itself', async () => {
    const { blamed, world, machine, edit, source, token, put } = await agreed();
    edit(0, 'write', 'a');
    edit(1, 'write', 'a');
    await world.clock.advance(60_000);
    await world.clock.runUntil(machine.pass(true));
    expect(machine.pair.conflicts()).toHaveLength(1);
    machine.watchedPair.deleteConflicts([at('a')]);
    expect(blamed()).toContain('INV-36: the conflict of a ended by itself');
    await world.clock.runUntil(machine.pass(true));
    await put(source, 'a', world.ledgers[0]!.now.get('a')!, await token(source, 'a'));
    expect(blamed()).toContain('INV-7: a on folder 1');
  });

  it('INV-9: that removes a directory which nobody removed', async () => {
    const { blamed, edit, target, world, machine } = await agreed();
    edit(0, 'remove', 'd/b');
    edit(1, 'remove', 'd/b');
    await world.clock.runUntil(machine.pass(true));
    await target.removeDirectory(at('d'));
    expect(blamed()).toContain('INV-9: d on the shared storage');
  });

  it('INV-10: that writes to a volume that is not its own', async () => {
    const { blamed, world, machine, source, put } = await agreed();
    world.happen({ kind: 'unplug', place: 1, leaving: 'empty-directory' });
    // The next pass begins after the exchange, and must not write.
    await world.clock.runUntil(machine.pass(true));
    await put(source, 'a', 'v0001');
    expect(blamed()).toContain('INV-10: folder 1 changed a');
  });

  it('INV-14, INV-37: that changes an ignored name, or the source of a one-way job', async () => {
    const ignoring = await agreed({ ignored: ['x'] });
    await ignoring.target.makeDirectory(at('x'));
    expect(ignoring.blamed()).toContain('INV-14: x on the shared storage');
    const oneWay = await agreed({ isUnidirectional: true });
    await oneWay.source.makeDirectory(at('e'));
    expect(oneWay.blamed()).toContain('INV-37: e on folder 1');
  });

  it('INV-15, INV-24: that writes rows which are not true, not flushed, or with a token of another version', async () => {
    const { blamed, world, machine, edit, target, token, put } = await agreed({ shared: { losesUnflushed: true } });
    const row = { kind: 'file', hash: toSha256(hashOf('v0001')), sizeBytes: 5, sourceToken: 's' as Token, targetToken: 't' as Token } as const;
    machine.watchedPair.commit([{ kind: 'put', key: fileKey(at('b')), row }]);
    expect(blamed()).toContain('INV-15: a row for b, a version that folder 1 never held');
    machine.watchedPair.commit([{ kind: 'put', key: directoryKey(at('e')), row: { kind: 'directory' } }]);
    expect(blamed()).toContain('INV-15: a row for e/');
    edit(0, 'write', 'a');
    machine.watchedPair.commit([{ kind: 'put', key: fileKey(at('a')), row: { ...row, targetToken: await token(target, 'a') } }]);
    expect(blamed()).toContain('INV-24: the row for a takes');
    edit(1, 'write', 'n');
    const text = world.ledgers[1]!.now.get('n')!;
    await put(target, 'n', text);
    machine.watchedPair.commit([{ kind: 'put', key: fileKey(at('n')), row: { ...row, hash: toSha256(hashOf(text)), sizeBytes: text.length } }]);
    expect(blamed()).toContain('INV-15: a row for n before the shared storage (machine 1) has flushed it');
  });

  it('INV-39: that removes more than half in a pass that nobody allowed to', async () => {
    const world = new World({ ...SPEC, allowMassDelete: false }, () => undefined);
    const names = Array.from({ length: 14 }, (_, i) => `m/${String(i)}`);
    world.populate(names);
    await world.clock.advance(60_000);
    const machine = world.machines[0]!;
    await world.clock.runUntil(machine.pass(false));
    world.happen({ kind: 'edit', place: 1, gesture: 'remove', path: 'm', to: 'm' });
    const target = machine.storage('target');
    for (const name of names) await target.remove(at(name), (await target.getFileToken(at(name)))!);
    expect(world.oracle.violations.join('; ')).toContain('INV-39: m/');
  });
});
