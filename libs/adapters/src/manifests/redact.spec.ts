import { describe, expect, it } from '@jest/globals';

import { redactSecrets, redactUrl } from './redact.js';

describe('storage parameters for showing', () => {
  it('hide what opens a door, whatever the type', () => {
    const shown = redactSecrets({
      type: 's3',
      'backend-id': 'one',
      s3_url: 's3://bucket/path',
      credentials: { 'access-key': 'AKIA', 'secret-key': 'hunter2' },
      token: 'hunter2',
      'refresh-token': 'hunter2',
      'app-key': 'hunter2',
      symmetrickey: 'hunter2',
      passwd: 'hunter2',
      passphrase: 'hunter2',
      password: 'hunter2',
      identity: '-----BEGIN hunter2',
      url: 'https://ann:hunter2@dav.example.org/notes',
      nested: [{ Password: 'hunter2', port: 6379 }],
      'read-only': true,
      location: '/home/ann',
    });
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect(shown).toMatchObject({
      type: 's3',
      'backend-id': 'one',
      s3_url: 's3://bucket/path',
      credentials: { 'access-key': '***', 'secret-key': '***' },
      url: 'https://ann:***@dav.example.org/notes',
      nested: [{ Password: '***', port: 6379 }],
      'read-only': true,
      location: '/home/ann',
    });
  });

  it('does not change what it was given', () => {
    const given = { credentials: { 'secret-key': 'hunter2' } };
    redactSecrets(given);
    expect(given.credentials['secret-key']).toBe('hunter2');
  });

  it.each([
    ['https://host/path', 'https://host/path'],
    ['https://ann@host/path', 'https://ann@host/path'],
    ['https://ann:secret@host/p?x=1#y', 'https://ann:***@host/p?***#y'],
    ['https://host/o?X-Amz-Signature=secret', 'https://host/o?***'],
    ['s3://bucket/a@b:c', 's3://bucket/a@b:c'],
    ['/home/ann/what? a:b@c', '/home/ann/what? a:b@c'],
  ])('shows %s as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});
