/** Moves and copies whose connection is cut, before or after they are made: made once, and nothing is lost (INV-5, INV-18). */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath as at, type Token } from '@wl/domain';
import type { Clock } from '@wl/ports';

import { PathTurns } from '../remote/path-turns.js';
import type { DavAbilities } from './abilities.js';
import { davArea } from './area.js';
import type { DavApi, Transferred } from './dav-api.js';
import { failure } from './failure.js';
import type { DavFile } from './multistatus.js';
import { Placing } from './placing.js';

const clock: Clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() };
const abilities: DavAbilities = { keepsExisting: true, comparesDestination: true, keepsNotes: false, hasEtags: true, tellsQuickChanges: true, isCaseSensitive: true, listsDotNames: true };
const signal = new AbortController().signal;

type Cut = 'before' | 'after' | 'later';

/** A server whose connection is cut around the next moves and copies, as told: before they are made, after, or so that they are made only when they were looked for. */
class CutServer {
  readonly files = new Map<string, string>();
  readonly cuts: Cut[] = [];
  /** What somebody does after a cut. */
  onceCut: () => void = () => undefined;
  #late: (() => void) | undefined;

  get api(): DavApi {
    const transfer = (isMove: boolean) => async (from: string, to: string, { overwrite }: { readonly overwrite: boolean }): Promise<Transferred> => {
      const make = (): Transferred => {
        const text = this.files.get(from);
        if (text === undefined) return 'no-source';
        if (!overwrite && this.files.has(to)) return 'refused';
        this.files.set(to, text);
        if (isMove) this.files.delete(from);
        return 'done';
      };
      this.#late?.();
      this.#late = undefined;
      const cut = this.cuts.shift();
      if (cut === undefined) return make();
      if (cut === 'after') make();
      if (cut === 'later') this.#late = make;
      this.onceCut();
      throw failure('unreachable', { operation: 'move' }, 'the connection was cut', true);
    };
    const api: Pick<DavApi, 'look' | 'move' | 'copy' | 'makeDirectory' | 'delete'> = {
      look: async (path) => this.look(path),
      move: transfer(true),
      copy: transfer(false),
      makeDirectory: async () => 'made',
      delete: async (path) => void this.files.delete(path),
    };
    return api as DavApi;
  }

  look(path: string): DavFile | undefined {
    const text = this.files.get(path);
    if (text === undefined) return undefined;
    return { kind: 'file', token: `e${text}:${String(text.length)}` as Token, sizeBytes: text.length, mtimeMs: 0, isRacy: false, etag: `"${text}"`, note: undefined };
  }

  /** Everything that is kept in the trash. */
  get trash(): string[] {
    return [...this.files].filter(([path]) => path.startsWith('.wl/trash/')).map(([, text]) => text);
  }
}

function open(files: Readonly<Record<string, string>>, cuts: readonly Cut[]) {
  const server = new CutServer();
  for (const [path, text] of Object.entries(files)) server.files.set(path, text);
  server.cuts.push(...cuts);
  const { api } = server;
  return { server, placing: new Placing({ api, area: davArea(api, clock), turns: new PathTurns(), abilities: () => abilities, clock }) };
}

const CUTS: readonly (readonly Cut[])[] = [['before'], ['after'], ['later'], ['before', 'before'], ['before', 'after']];

describe('a cut connection', () => {
  it.each(CUTS)('loses no removal (%s, %s)', async (...cuts) => {
    const { server, placing } = open({ a: 'old' }, cuts);
    expect(await placing.remove(at('a'), server.look('a')!.token, signal)).toEqual({ ok: true, value: undefined });
    expect([server.files.has('a'), server.trash]).toEqual([false, ['old']]);
  });

  it.each(CUTS)('loses no creation (%s, %s)', async (...cuts) => {
    const { server, placing } = open({ staged: 'new' }, cuts);
    const staged = { place: 'staged', file: server.look('staged')!, uploadedMs: 0 };
    expect(await placing.show(at('a'), staged, undefined, signal)).toMatchObject({ ok: true });
    expect([...server.files]).toEqual([['a', 'new']]);
  });

  it.each(CUTS)('loses no replacement, and keeps what it replaces (%s, %s)', async (...cuts) => {
    const { server, placing } = open({ a: 'old', staged: 'new' }, cuts);
    const staged = { place: 'staged', file: server.look('staged')!, uploadedMs: 0 };
    expect(await placing.show(at('a'), staged, server.look('a')!.token, signal)).toMatchObject({ ok: true });
    expect(server.files.get('a')).toBe('new');
    expect(new Set(server.trash)).toEqual(new Set(['old']));
  });

  it('INV-17: replaces no version of somebody else who comes before the next try', async () => {
    const { server, placing } = open({ staged: 'new' }, ['before']);
    const staged = { place: 'staged', file: server.look('staged')!, uploadedMs: 0 };
    server.onceCut = () => server.files.set('a', 'theirs');
    expect(await placing.show(at('a'), staged, undefined, signal)).toMatchObject({ ok: false });
    expect(server.files.get('a')).toBe('theirs');
  });

  it('is a failure when it happens again and again, and nothing has changed', async () => {
    const { server, placing } = open({ a: 'old' }, ['before', 'before', 'before']);
    await expect(placing.remove(at('a'), server.look('a')!.token, signal)).rejects.toMatchObject({ code: 'unreachable' });
    expect([...server.files]).toEqual([['a', 'old']]);
  });
});
