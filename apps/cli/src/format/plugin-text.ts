/** Plugins as lines for people. Names and reasons come from their packages, so each stays on its line. */

import { BUILT_IN_SYNCERS } from '@wl/ports';
import type { StatusPlugin } from '@wl/ports/schemas';

import { oneLine } from './text.js';

/** What a plugin adds: `syncer fast; storage type shelf`. */
export function pluginContents({ syncers, backends }: Pick<StatusPlugin, 'syncers' | 'backends'>): string {
  const named = (what: string, names: readonly string[]): string[] => (names.length === 0 ? [] : [`${what} ${names.join(', ')}`]);
  return [...named('syncer', syncers), ...named('storage type', backends.map(({ type }) => type))].join('; ') || 'nothing';
}

/** A line for the plugin, and one for each reason why it is not (wholly) in use. */
export function pluginLines(plugin: StatusPlugin, state: string = plugin.state): string[] {
  const head = `${plugin.name} ${plugin.version} (${state}): ${pluginContents(plugin)}`;
  return [oneLine(head), ...plugin.reasons.map((reason) => `   ${oneLine(reason)}`)];
}

/** Where it is, and the fields of its storage types. */
export function pluginDetails({ place, backends }: StatusPlugin): string[] {
  const fields = backends.flatMap(({ type, fields: own }) =>
    own.map(({ name, required, secret, description }) => {
      const notes = [required ? 'required' : 'optional', ...(secret ? ['secret'] : []), ...(description === undefined ? [] : [description])];
      return `   field of ${type}: ${name} (${notes.join('; ')})`;
    }),
  );
  return [`   in ${place}`, ...fields].map(oneLine);
}

/** A line for each syncer that is there without a plugin. */
export function builtInLines(): string[] {
  return BUILT_IN_SYNCERS.map(({ SYNCER_NAME, ABOUT, BY_NAME_ONLY }) => `built in: syncer ${SYNCER_NAME}${BY_NAME_ONLY === true ? ` (only with --syncer ${SYNCER_NAME})` : ''}: ${ABOUT}`);
}
