/**
 * Proves the import arrows: plants one bad file per arrow, runs ESLint over it, and expects it to
 * fail with the message that teaches; likewise good files that must pass. Run it by
 * `npm run lint:arrows` after a change to eslint.config.mjs or tools/eslint/. Exits 1 when an
 * arrow does not hold.
 *
 * The planted files exist only in memory: ESLint is given their text and the path they claim.
 */
import path from 'node:path';

import { ESLint } from 'eslint';

const root = path.resolve(import.meta.dirname, '..');

if (process.argv.includes('--help')) {
  console.log('usage: npm run lint:arrows\n  plants a bad file per import arrow and expects ESLint to refuse it');
  process.exit(0);
}

const nothing = /libs\/domain may import nothing but its own files.*Why/;
const portsRoom = /libs\/ports may import its own files and @wl\/domain.*Why/;
const engineRoom = /libs\/engine may import its own files, @wl\/domain, @wl\/ports.*Why/;
const kitRoom = /libs\/plugin-kit may import its own files.*Why/;
const adapterRoom = /an adapter may import its own folder, src\/http, src\/remote.*Why/;
const wiring = /known to apps\/\*\/src\/container\.ts and main\.ts alone.*Why/;
const testCode = /is test code/;
const pure = /libs\/domain is pure/;
const clock = /Time comes through the Clock port/;
const port = /runs on ports alone/;

/** [file it claims to be, its text, the message expected; undefined: must pass] */
const cases = [
  ['libs/domain/src/planted.ts', "import 'node:fs';", nothing],
  ['libs/domain/src/planted.ts', "import 'fs';", /write 'node:fs'/],
  ['libs/domain/src/planted.ts', "export * from '@wl/ports';", nothing],
  ['libs/domain/src/planted.ts', "import type { Clock } from '@wl/ports'; export type C = Clock;", nothing],
  ['libs/domain/src/planted.ts', "export type C = import('@wl/ports').Clock;", nothing],
  ['libs/domain/src/planted.ts', "export * from '@wl/adapters/memory';", nothing],
  ['libs/domain/src/planted.ts', "export * from '../../adapters/src/memory/index.js';", nothing],
  ['libs/domain/src/planted.ts', "import 'inversify';", wiring],
  ['libs/domain/src/planted.ts', "import 'yaml';", nothing],
  ['libs/domain/src/planted.ts', "export const load = () => import('node:fs');", nothing],
  ['libs/domain/src/planted.ts', 'export const load = (name: string) => import(name);', /named by a literal/],
  ['libs/domain/src/planted.ts', 'export const now = () => Date.now();', pure],
  ['libs/domain/src/planted.ts', 'export const now = () => new Date();', pure],
  ['libs/domain/src/planted.ts', 'export const chance = () => Math.random();', pure],
  ['libs/domain/src/planted.ts', 'export const env = () => process.env;', pure],
  ['libs/domain/src/planted.ts', "export const bytes = () => Buffer.from('a');", pure],
  ['libs/domain/src/planted.ts', 'export const wait = () => setTimeout(() => undefined, 1);', pure],
  ['libs/domain/src/planted.ts', "import { it } from '@jest/globals'; it('x', () => undefined);", /is for tests/],

  ['libs/ports/src/planted.ts', "import 'node:fs/promises';", portsRoom],
  ['libs/ports/src/planted.ts', "export * from '@wl/engine';", portsRoom],
  ['libs/ports/src/planted.ts', "export * from '@wl/adapters/memory';", portsRoom],
  ['libs/ports/src/planted.ts', "export * from './testing/index.js';", testCode],
  ['libs/ports/src/testing/planted.ts', "export * from '@wl/adapters/memory';", portsRoom],

  ['libs/engine/src/planted.ts', "import 'node:path';", engineRoom],
  ['libs/engine/src/planted.ts', "export * from '@wl/adapters/local-fs';", engineRoom],
  ['libs/engine/src/planted.ts', "export * from '../../adapters/src/memory/index.js';", engineRoom],
  ['libs/engine/src/planted.ts', "export * from '@wl/ports/testing';", testCode],
  ['libs/engine/src/planted.ts', "import 'inversify';", wiring],
  ['libs/engine/src/planted.spec.ts', "export * from '@wl/adapters/local-fs';", engineRoom],
  ['libs/engine/src/planted.ts', 'export const now = () => Date.now();', clock],
  ['libs/engine/src/planted.ts', 'export const wait = () => setTimeout(() => undefined, 1);', clock],
  ['libs/engine/src/planted.ts', 'export const signal = () => AbortSignal.timeout(1);', clock],
  ['libs/engine/src/planted.ts', 'export const env = () => process.env;', port],
  ['libs/engine/src/planted.ts', "export const say = () => console.log('a');", port],

  ['libs/adapters/src/planted/index.ts', "export * from '@wl/engine';", adapterRoom],
  ['libs/adapters/src/planted/index.ts', "export * from '@wl/adapters/memory';", adapterRoom],
  ['libs/adapters/src/planted/index.ts', "export * from '../memory/index.js';", /into a sibling adapter.*an adapter may import/],
  ['libs/adapters/src/planted/deep/file.ts', "export * from '../../memory/index.js';", /into a sibling adapter/],
  ['libs/adapters/src/http/planted.ts', "export * from '../s3/index.js';", /into a sibling adapter/],
  ['libs/adapters/src/planted/index.ts', "export * from '../../../ports/src/index.js';", adapterRoom],
  ['libs/adapters/src/planted/index.ts', "import 'clipanion';", /not in the dependencies of libs\/adapters\/package\.json/],
  ['libs/adapters/src/planted/index.ts', "import 'inversify';", wiring],
  ['libs/adapters/src/planted/index.ts', "import 'fs';", /write 'node:fs'/],
  ['libs/adapters/src/planted/index.spec.ts', "export * from '@wl/adapters/local-fs';", adapterRoom],

  ['libs/plugin-kit/src/planted.ts', "export * from '@wl/engine';", kitRoom],
  ['libs/plugin-kit/src/planted.ts', "export * from '@wl/adapters/memory';", kitRoom],
  ['libs/plugin-kit/src/planted.ts', "import 'yaml';", kitRoom],
  ['libs/plugin-kit/src/testing/planted.ts', "export * from '@wl/adapters/s3';", kitRoom],
  ['apps/cli/src/planted.ts', "import 'inversify';", wiring],
  ['apps/cli/src/planted.ts', "import 'reflect-metadata';", wiring],
  ['apps/cli/src/planted.ts', "import 'chokidar';", /not in the dependencies of apps\/cli\/package\.json/],
  ['apps/cli/src/planted.ts', "export * from '../../daemon/src/main.js';", /leaves apps\/cli/],
  ['apps/daemon/src/planted.ts', "export * from '../../../libs/engine/src/index.js';", /leaves apps\/daemon/],
  ['apps/daemon/src/planted.ts', "export * from '@wl/ports/testing';", testCode],

  ['libs/domain/src/planted.ts', "export * from './planted-too.js';", undefined],
  ['libs/domain/src/planted.spec.ts', "import 'node:fs'; import 'fast-check'; import '@jest/globals';", undefined],
  ['libs/ports/src/planted.ts', "export * from '@wl/domain';", undefined],
  ['libs/ports/src/testing/planted.ts', "import 'node:crypto'; import '@jest/globals'; export * from '../planted.js';", undefined],
  ['libs/engine/src/planted.ts', "export * from '@wl/domain'; export * from '@wl/ports'; export * from './deep/planted.js';", undefined],
  ['libs/engine/src/deep/planted.spec.ts', "import '@wl/adapters/memory'; import '@wl/ports/testing'; import '../planted.js';", undefined],
  ['libs/adapters/src/planted/deep/file.ts', "import 'node:fs'; import 'yaml'; import 'chokidar'; export * from '../index.js'; export * from '../../http/xml.js'; export * from '@wl/ports/schemas';", undefined],
  ['libs/adapters/src/planted/index.spec.ts', "import '@wl/ports/testing'; import '@wl/adapters/memory';", undefined],
  ['libs/plugin-kit/src/planted.ts', "import 'node:fs'; export * from '@wl/domain'; export * from '@wl/ports';", undefined],
  ['libs/plugin-kit/src/testing/planted.ts', "import '@wl/engine'; import '@wl/adapters/memory'; import '@wl/adapters/plugins'; import '@jest/globals';", undefined],
  ['apps/daemon/src/container.ts', "import 'inversify'; import '@wl/engine'; import '@wl/adapters/local-fs'; import 'node:path';", undefined],
  ['apps/cli/src/main.ts', "import 'reflect-metadata'; import 'clipanion';", undefined],
];

// The config's rules on a path, without type information: the planted files belong to no program.
const typeAware = (await import('typescript-eslint')).default.configs.disableTypeChecked;
const eslint = new ESLint({
  cwd: root,
  overrideConfig: [
    typeAware,
    { languageOptions: { parserOptions: { projectService: false, project: null, program: null } } },
    { files: ['**/*.ts'], rules: { '@typescript-eslint/consistent-type-imports': 'off' } },
  ],
});

let failures = 0;
for (const [file, text, expected] of cases) {
  const [result] = await eslint.lintText(`${text}\n`, { filePath: path.join(root, file) });
  const messages = result.messages.filter(({ severity }) => severity === 2).map(({ message }) => message);
  const holds = expected === undefined ? messages.length === 0 : messages.some((message) => expected.test(message));
  if (holds) continue;
  failures += 1;
  console.error(`${file}: ${text}\n  expected ${expected ?? 'no error'}, got ${messages.length === 0 ? 'no error' : messages.join(' | ')}`);
}
console.log(`${cases.length - failures} of ${cases.length} planted files were judged as the arrows say`);
process.exitCode = failures === 0 ? 0 : 1;
