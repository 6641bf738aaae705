/** `wl plugin new`: begins a plugin in a new folder, from the template of the kit. */

import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { shellWord } from '@wl/adapters/manifests';
import { Command, Option } from 'clipanion';

import { CommandFailure, UsageError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { WlCommand } from '../wl-command.js';

/** What the names of storage types, syncers and packages have in common. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,50}$/;

export class PluginNewCommand extends WlCommand {
  static override paths = [['plugin', 'new']];
  static override usage = Command.Usage({
    category: 'Plugins',
    description: 'begin a plugin in a new folder',
    details: 'Writes a storage type, a syncer and their tests, which pass as they are: `npm install && npm test`. The type is called like the folder unless `--type` names it.',
    examples: [['A storage type shelf', '$0 plugin new wl-shelf --type shelf']],
  });

  folder = Option.String({ name: 'FOLDER' });
  type = Option.String('--type', { description: 'name of the storage type' });

  override async execute(): Promise<ExitCode> {
    const { kitDirectory, output, workingDirectory } = this.context;
    const directory = path.resolve(workingDirectory, this.folder);
    const name = path.basename(directory);
    const type = this.type ?? name;
    for (const word of [name, type]) if (!NAME.test(word)) throw new UsageError(`${JSON.stringify(word)} cannot be a name: use lower-case letters, digits, '-', '_' and '.'`);
    const kit = (await readdir(kitDirectory).catch(() => [])).find((file) => file.endsWith('.tgz'));
    if (kit === undefined) throw new CommandFailure(`the kit for plugins is missing in ${kitDirectory}: build it with npm run build`);
    await makeEmpty(directory);
    await fill(path.join(kitDirectory, 'template'), directory, { NAME: name, TYPE: type, KIT: kit });
    await mkdir(path.join(directory, 'vendor'));
    await cp(path.join(kitDirectory, kit), path.join(directory, 'vendor', kit));
    output.line(`Created ${directory}. Try it: cd ${shellWord(directory)} && npm install && npm test`);
    return EXIT.ok;
  }
}

async function makeEmpty(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) throw new CommandFailure(`${directory} is not empty: a plugin begins in a folder of its own`);
}

/** Copies a tree of texts, `@@WORD@@` in them replaced. */
async function fill(from: string, to: string, words: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await fill(source, target, words);
    else await writeFile(target, (await readFile(source, 'utf8')).replaceAll(/@@([A-Z]+)@@/g, (all, word: string) => words[word] ?? all));
  }
}
