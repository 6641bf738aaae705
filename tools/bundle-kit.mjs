/**
 * Packs the kit for authors of plugins (Nx target `bundle` of plugin-kit, `npm run build`):
 *
 *   dist/plugin-kit/wl-plugin-kit-<version>.tgz   the package `@wl/plugin-kit`: code, suites, types
 *   dist/plugin-kit/template/                     what `wl plugin new` begins with
 *
 * The package holds everything it needs: the libraries of this workspace and, in its suites,
 * `expect`. Types are those that `npm run typecheck` (or the target `build`) wrote.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const out = path.join(root, 'dist/plugin-kit');
const kit = path.join(root, 'libs/plugin-kit');

if (process.argv.includes('--help')) {
  console.log('usage: node tools/bundle-kit.mjs   (after `npm run typecheck`, for the types)');
  process.exit(0);
}

/** Where the types of each entry point are in the package. */
const ENTRIES = {
  '@wl/domain': 'domain/index.js',
  '@wl/ports': 'ports/index.js',
  '@wl/ports/schemas': 'ports/generated/index.js',
  '@wl/ports/testing': 'ports/testing/index.js',
};

/** What CommonJS code inside the bundle takes for granted. */
const COMMONJS = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { dirname as __dirnameOf } from 'node:path';",
  "import { fileURLToPath as __toPath } from 'node:url';",
  'const require = __createRequire(import.meta.url), __filename = __toPath(import.meta.url), __dirname = __dirnameOf(__filename);',
].join('');

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const staging = mkdtempSync(path.join(os.tmpdir(), 'wl-kit-'));
try {
  await bundle();
  copyTypes();
  describePackage();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  pack();
  cpSync(path.join(kit, 'template'), path.join(out, 'template'), { recursive: true });
} finally {
  rmSync(staging, { recursive: true, force: true });
}

/** One module for what plugins build with, one for the suites. */
async function bundle() {
  await build({
    absWorkingDir: root,
    entryPoints: { index: 'libs/plugin-kit/src/index.ts', testing: 'libs/plugin-kit/src/testing/index.ts' },
    outdir: staging,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@wl/source'],
    mainFields: ['module', 'main'],
    tsconfig: path.join(root, 'tsconfig.base.json'),
    alias: { '@jest/globals': './tools/plugin-kit/jest-on-node-test.mjs' },
    banner: { js: COMMONJS },
    legalComments: 'linked',
    logLevel: 'warning',
  });
}

/** The declarations of the libraries, side by side; what they call each other by becomes a path. */
function copyTypes() {
  for (const library of ['domain', 'ports', 'plugin-kit']) {
    const from = path.join(root, 'libs', library, 'dist');
    if (!existsSync(path.join(from, 'index.d.ts'))) throw new Error(`libs/${library}/dist has no types: run \`npm run typecheck\` first`);
    copyDeclarations(from, path.join(staging, 'types', library));
  }
}

function copyDeclarations(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) copyDeclarations(source, target);
    else if (entry.name.endsWith('.d.ts')) writeFileSync(target, withPaths(readFileSync(source, 'utf8'), to));
  }
}

function withPaths(text, directory) {
  return text
    .replace(/\n?\/\/# sourceMappingURL=.*\n?$/, '\n')
    .replace(/(from |import\()(['"])(@wl\/[a-z/-]+)\2/g, (_all, before, quote, name) => {
      const entry = ENTRIES[name];
      if (entry === undefined) throw new Error(`the types of the kit would need ${name}`);
      const relative = path.posix.relative(directory, path.join(staging, 'types', entry));
      return `${before}${quote}${relative.startsWith('.') ? relative : `./${relative}`}${quote}`;
    });
}

function describePackage() {
  const { license } = JSON.parse(readFileSync(path.join(kit, 'package.json'), 'utf8'));
  const entry = (name, types) => ({ types: `./types/plugin-kit/${types}.d.ts`, default: `./${name}.js` });
  const manifest = {
    name: '@wl/plugin-kit',
    version,
    description: 'What plugins of wl are built with and tested against',
    license,
    type: 'module',
    engines: { node: '>=20.19.0' },
    exports: { './package.json': './package.json', '.': entry('index', 'index'), './testing': entry('testing', 'testing/index') },
  };
  writeFileSync(path.join(staging, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(path.join(root, 'LICENSE'), path.join(staging, 'LICENSE'));
  cpSync(path.join(root, 'docs/plugins.md'), path.join(staging, 'README.md'));
}

function pack() {
  const { status, stderr, error } = spawnSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', out], { cwd: staging, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm pack failed: ${error?.message ?? stderr}`);
}
