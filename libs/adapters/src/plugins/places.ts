/** Where plugins are looked for; never in a storage. */

import path from 'node:path';

/** The folder of a base directory that npm installs plugins into. */
export function pluginsDirectory(baseDirectory: string): string {
  return path.join(baseDirectory, 'plugins');
}

/** Where plugins of a base directory are: its own folder, and where the program was installed into. */
export function pluginPlaces(baseDirectory: string, programDirectory: string): string[] {
  const own = path.join(pluginsDirectory(baseDirectory), 'node_modules');
  // <place>/node_modules/wl/dist/daemon: installed as a package, its neighbours may be plugins.
  const beside = path.resolve(programDirectory, '../../..');
  return path.basename(beside) === 'node_modules' ? [own, beside] : [own];
}
