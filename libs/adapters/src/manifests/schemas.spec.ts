/** The examples beside the schemas: each valid one is accepted, each invalid one refused for the reason it was written for. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import {
  commandArguments,
  validateConfig,
  validateContainer,
  validatePlugin,
  validateStatus,
  validateStorage,
  validateSyncCommands,
  validateUser,
  type CommandName,
  type Validator,
} from '@wl/ports/schemas';
import { parse } from 'yaml';

import { describeSchemaErrors } from './schema-errors.js';

const SCHEMAS = path.resolve(import.meta.dirname, '../../../../schemas');

const GUARDS: Readonly<Record<string, Validator<unknown>>> = {
  config: validateConfig,
  container: validateContainer,
  plugin: validatePlugin,
  status: validateStatus,
  storage: validateStorage,
  'sync-commands': validateSyncCommands,
  user: validateUser,
};

/** What is wrong with each invalid example. */
const REASONS: Readonly<Record<string, string>> = {
  'config.owner-as-number.yaml': '@default-owner must be text (put it in quotes if it looks like a number)',
  'config.relative-directory.yaml': 'user-dir must be an absolute path',
  'config.unknown-key.yaml': 'it has the unknown key "contianer-dir"',
  'container.categories-without-title.yaml': 'it has "categories", which needs "title" too',
  'container.empty-pattern.yaml': 'ignore[0] must not be empty',
  'container.no-paths.yaml': 'paths must not be empty',
  'container.other-backends.yaml': 'backends has the unknown key "cache"',
  'container.owner-as-number.yaml': 'owner must be text (put it in quotes if it looks like a number)',
  // The storages' forms are alternatives, the first is a URL; `validateManifest` says it better.
  'container.relative-location.yaml': 'backends.storage[0] must be text (put it in quotes if it looks like a number)',
  'container.unknown-key.yaml': 'it has the unknown key "colour"',
  'plugin.absolute-module.json': 'storage_sync[0].module must be a ./path inside the package',
  'plugin.no-api-version.json': 'it lacks "api-version"',
  'plugin.nothing-offered.json': 'it must NOT have fewer than 2 properties',
  'plugin.outside-its-folder.json': 'storage_sync[0].module must be a ./path inside the package',
  'status.job-without-state.json': 'jobs[0] lacks "container"',
  'status.other-version.json': 'version must be 1',
  'status.time-for-people.json': 'daemon.since must be of the form ^\\d{4}-',
  'storage.interval-zero.yaml': 'watcher-interval must be >= 1',
  'storage.no-container-path.yaml': 'it lacks "container-path"',
  'storage.no-location.yaml': 'it lacks "location"',
  'storage.read-only-as-text.yaml': 'read-only must be true or false',
  'storage.relative-location.yaml': 'location must be an absolute path',
  'storage.relative-mount-path.yaml': 'mount-path must be an absolute path',
  'storage.sftp-host-key-as-md5.yaml': 'host-key must be of the form ^SHA256:',
  'storage.webdav-half-credentials.yaml': 'credentials lacks "password"',
  'storage.zip-relative-location.yaml': 'location must be an absolute path',
  'storage.s3-endpoint-without-scheme.yaml': 'endpoint_url must be an http:// or https:// URL',
  'storage.s3-half-credentials.yaml': 'credentials lacks "secret-key"',
  'storage.s3-path-style-as-text.yaml': 'path-style must be true or false',
  'storage.s3-unknown-encryption.yaml': 'sse must be AES256, aws:kms or aws:kms:KEYID',
  'storage.s3-url-of-https.yaml': 's3_url must be an s3://bucket/path URL',
  'sync-commands.active-events-unknown-type.json': 'args.active-events[0] must be one of state, progress, conflict, error',
  'sync-commands.check-storage-without-url.json': 'args.storage lacks "s3_url"',
  'sync-commands.explain-syncer-without-direction.json': 'args lacks "unidirectional"',
  'sync-commands.job-state-without-id.json': 'args lacks "job-id"',
  'sync-commands.list-conflicts-without-target.json': 'args lacks "target"',
  'sync-commands.no-command.json': 'it lacks "cmd"',
  'sync-commands.resolve-both.json': 'args.keep must be one of source, target',
  'sync-commands.start-relative-location.json': 'args.source.location must be an absolute path',
  'sync-commands.start-unknown-argument.json': 'args has the unknown key "force"',
  'sync-commands.start-without-direction.json': 'args lacks "unidirectional"',
  'sync-commands.start-without-type.json': 'args.source lacks "type"',
  'sync-commands.status-unknown-argument.json': 'args has the unknown key "verbose"',
  'sync-commands.stop-container-by-name.json': 'args lacks "container-id"',
  'sync-commands.stop-with-number.json': 'args.job-id must be text (put it in quotes if it looks like a number)',
  'sync-commands.stop-without-args.json': 'it lacks "args"',
  'sync-commands.subscribe-unknown-argument.json': 'args has the unknown key "job"',
  'sync-commands.unknown-command.json': 'cmd must be one of start, stop, stop-all,',
  'user.no-keys.yaml': 'pubkeys must not be empty',
  'user.short-key.yaml': 'pubkeys[0] must be a public key of 88 base64 characters',
};

function examples(kind: 'valid' | 'invalid'): readonly { readonly name: string; readonly guard: Validator<unknown>; readonly value: unknown }[] {
  const directory = path.join(SCHEMAS, 'examples', kind);
  return readdirSync(directory)
    .sort()
    .map((name) => {
      const guard = GUARDS[name.split('.')[0] ?? ''];
      if (guard === undefined) throw new Error(`${name} belongs to no schema`);
      const text = readFileSync(path.join(directory, name), 'utf8');
      return { name, guard, value: name.endsWith('.json') ? (JSON.parse(text) as unknown) : (parse(text) as unknown) };
    });
}

describe('the examples of the schemas', () => {
  it.each(examples('valid'))('accepts $name', ({ guard, value }) => {
    expect({ accepted: guard(value), errors: guard.errors }).toEqual({ accepted: true, errors: null });
  });

  it.each(examples('invalid'))('refuses $name', ({ name, guard, value }) => {
    expect(guard(value)).toBe(false);
    expect(describeSchemaErrors(guard.errors, 'it')).toContain(REASONS[name] ?? 'a reason in the table of this test');
  });

  it('has a valid and an invalid one of every schema', () => {
    const schemas = readdirSync(SCHEMAS).flatMap((file) => /^(.+)\.schema\.json$/.exec(file)?.[1] ?? []);
    expect(schemas.sort()).toEqual(Object.keys(GUARDS).sort());
    for (const kind of ['valid', 'invalid'] as const) {
      const covered = new Set(examples(kind).map(({ name }) => name.split('.')[0]));
      expect([...covered].sort()).toEqual(schemas);
    }
  });

  it('has one of every command, whose arguments the command\'s own guard accepts', () => {
    const requests = examples('valid').flatMap(({ name, value }) => (name.startsWith('sync-commands.') ? [value as { cmd: CommandName; args?: object }] : []));
    expect([...new Set(requests.map(({ cmd }) => cmd))].sort()).toEqual(Object.keys(commandArguments).sort());
    for (const { cmd, args } of requests) expect([cmd, commandArguments[cmd](args ?? {})]).toEqual([cmd, true]);
  });
});
