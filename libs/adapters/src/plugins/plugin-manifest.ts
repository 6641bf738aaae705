/** The `wildland` field of a package: what a plugin adds and where. Nothing of the plugin runs here. */

import { err, ok, type Result } from '@wl/domain';
import { PLUGIN_API_VERSION } from '@wl/ports';
import { validatePlugin, type Plugin } from '@wl/ports/schemas';

/** Reads the field; the error says what is wrong with it, without a full stop. */
export function readPluginManifest(field: unknown): Result<Plugin, string> {
  // Another version may have another form: that is said first, instead of what is odd about it here.
  const version = typeof field === 'object' && field !== null ? (field as Readonly<Record<string, unknown>>)['api-version'] : undefined;
  if (Number.isSafeInteger(version) && version !== PLUGIN_API_VERSION) {
    return err(`it was built for version ${String(version)} of the plugin interface; this is version ${String(PLUGIN_API_VERSION)}`);
  }
  if (validatePlugin(field)) return ok(field);
  const [first] = validatePlugin.errors ?? [];
  const where = first === undefined || first.instancePath === '' ? '' : `${first.instancePath.slice(1).replaceAll('/', '.')} `;
  return err(`its wildland field is not as it should be: ${where}${first?.message ?? 'it has another form'}`);
}

/** What a plugin adds, in a few words. */
export function describePluginManifest(manifest: Plugin): string {
  const named = (what: string, entries: Plugin['storage_sync']): string[] =>
    entries === undefined ? [] : [`${what} ${entries.map(({ name }) => name).join(', ')}`];
  return [...named('syncer', manifest.storage_sync), ...named('storage type', manifest.storage_backends)].join('; ');
}
