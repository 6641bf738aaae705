import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { fingerprintOf, loadHostTrust } from './host-trust.js';

const keyOf = (type: string, seed: number): Buffer => Buffer.concat([Buffer.from([0, 0, 0, type.length]), Buffer.from(type), Buffer.alloc(32, seed)]);
const [ED, RSA] = [keyOf('ssh-ed25519', 1), keyOf('ssh-rsa', 2)];
const place = { host: 'files.invalid', port: 2222 };

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'wl-home-'));
  mkdirSync(join(home, '.ssh'));
});
afterEach(() => rmSync(home, { recursive: true }));

describe("the server's key", () => {
  it('is taken when a known_hosts file has it, whose types are asked for first', async () => {
    writeFileSync(join(home, '.ssh', 'known_hosts'), `[files.invalid]:2222 ssh-rsa ${RSA.toString('base64')}\n`);
    const trust = await loadHostTrust(place, { HOME: home });
    expect(trust.objection(RSA)).toBeUndefined();
    expect(trust.algorithms?.slice(0, 3)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519']);
    expect(trust.objection(keyOf('ssh-rsa', 9))).toMatch(/somebody may be in between/);
  });

  it('is refused when nobody knows it, with what to do', async () => {
    const objection = (await loadHostTrust(place, { HOME: home })).objection(ED);
    expect(objection).toContain(fingerprintOf(ED));
    expect(objection).toMatch(/ssh -p 2222 files\.invalid.*host-key SHA256:/);
  });

  it('is the one that the manifest names, whatever a known_hosts file says', async () => {
    writeFileSync(join(home, '.ssh', 'known_hosts'), `[files.invalid]:2222 ssh-rsa ${RSA.toString('base64')}\n`);
    const trust = await loadHostTrust({ ...place, hostKey: `${fingerprintOf(ED)}=` }, { HOME: home });
    expect(trust.objection(ED)).toBeUndefined();
    expect(trust.objection(RSA)).toMatch(/is not the host-key of this storage/);
  });
});
