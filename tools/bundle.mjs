/**
 * Builds the programs: `node tools/bundle.mjs cli|daemon` (Nx target `bundle`, `npm run build`).
 *
 * Each app becomes one CommonJS file without dependencies but the native ones, and a launcher
 * beside it that starts it from V8's code cache:
 *
 *   dist/cli/cli.cjs        dist/cli/wl.cjs
 *   dist/daemon/daemon.cjs  dist/daemon/wl-sync-daemon.cjs  dist/daemon/local-fs-worker.cjs  dist/daemon/ssh-client.cjs
 *
 * The launchers are the programs: a bundle does not run without its launcher, which hands it
 * `import()`. All end in `.cjs` because the package is of type module, and are CommonJS because
 * V8's code cache works on scripts. Sources may use `import.meta.url` (the URL of the bundle) and
 * `__WL_VERSION__` (the version in package.json).
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');

const apps = {
  cli: {
    entries: { cli: 'apps/cli/src/main.ts' },
    apart: {},
    launcher: 'wl.cjs',
    outlivesItsReader: false,
    loadsLate: true,
    keepsNames: false,
  },
  daemon: {
    entries: {
      daemon: 'apps/daemon/src/main.ts',
      // Runs in worker threads, which load a file of their own.
      'local-fs-worker': 'libs/adapters/src/local-fs/worker/main.ts',
    },
    // Packages that most daemons never load, by the file of its own that each becomes: there they cost a start nothing.
    apart: { 'ssh-client': 'ssh2' },
    launcher: 'wl-sync-daemon.cjs',
    outlivesItsReader: true,
    loadsLate: false,
    keepsNames: true,
  },
};

/** Native code cannot be bundled; these are the dependencies of the published package. */
const external = [
  ...['@photostructure/sqlite', 'koffi', 'node:sqlite'],
  // What ssh2 would use if it were there: it is neither built nor shipped.
  ...['*.node', 'cpu-features'],
];

const name = process.argv[2];
if (process.argv.includes('--help') || !Object.hasOwn(apps, name ?? '')) {
  console.error(`usage: node tools/bundle.mjs ${Object.keys(apps).join('|')}`);
  process.exit(process.argv.includes('--help') ? 0 : 2);
}

const app = apps[name];
const out = path.join(root, 'dist', name);
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

for (const entry of Object.values(app.entries)) {
  if (!existsSync(path.join(root, entry))) {
    console.error(`unable to bundle ${name}: ${entry} is missing`);
    process.exit(1);
  }
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

/** @type {import('esbuild').BuildOptions} */
const options = {
  absWorkingDir: root,
  outdir: out,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  conditions: ['@wl/source'],
  // `module` before `main`: the ES module build of a dual package can be tree-shaken.
  mainFields: ['module', 'main'],
  tsconfig: path.join(root, 'tsconfig.base.json'),
  external,
  banner: { js: '"use strict";let __url;const __bundle={get url(){return __url??=require("node:url").pathToFileURL(__filename).href}};' },
  define: { 'import.meta.url': '__bundle.url', __WL_VERSION__: JSON.stringify(version) },
  minifySyntax: true,
  minifyWhitespace: true,
  // Names are for those who read the daemon's log, and stay as they are: `keepNames` would give each function its own
  // at run time, the closures of the innermost loops included.
  minifyIdentifiers: !app.keepsNames,
  charset: 'ascii',
  legalComments: 'linked',
  logLevel: 'warning',
};
await build({
  ...options,
  entryPoints: app.entries,
  plugins: [
    { name: 'parser-without-stdin', setup: (bundler) => bundler.onLoad({ filter: /clipanion.lib.advanced.Cli\.m?js$/ }, parserWithoutStdin) },
    { name: 'apart', setup: loadApart },
  ],
});
await build({ ...options, entryPoints: app.apart });

// See the launcher: what runs from the code cache cannot use import() of its own. Minified code
// writes it without a space; a method of that name follows a dot.
const program = path.join(out, `${name}.cjs`);
const built = readFileSync(program, 'utf8').replace(/(?<![.\w$])import\(/g, '__import(');
writeFileSync(program, wrap(app.loadsLate ? loadLate(built) : built));

const launcher = readFileSync(path.join(root, 'tools/launcher.cjs.txt'), 'utf8')
  .replaceAll('@@BUNDLE@@', `${name}.cjs`)
  .replaceAll('@@NAME@@', name)
  .replaceAll('@@OUTLIVES_ITS_READER@@', String(app.outlivesItsReader));
writeFileSync(path.join(out, app.launcher), launcher);
chmodSync(path.join(out, app.launcher), 0o755);

/** Has a package loaded from its own file beside the program; the launcher's `import()` finds it there. */
function loadApart(bundler) {
  for (const [file, name] of Object.entries(app.apart)) bundler.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: `./${file}.cjs`, external: true }));
}

/** The parser's default context opens standard input, as a stream, in every command; each of ours gets a context of its own. */
function parserWithoutStdin({ path: file }) {
  const text = readFileSync(file, 'utf8');
  const opening = 'stdin: process.stdin,';
  if (!text.includes(opening)) throw new Error(`${file} is not as it was: look for what opens standard input`);
  return { contents: text.replace(opening, 'stdin: undefined,'), loader: 'js' };
}

/**
 * Has modules of Node.js that few commands need loaded when something of them is used first: compiling
 * all of them is a third of the time of `wl status`. Not for the daemon, which needs all of them and
 * calls some of their functions a million times.
 */
function loadLate(code) {
  const late = ['child_process', 'crypto', 'fs/promises', 'net', 'readline', 'stream', 'timers/promises'];
  const define = 'const __late=(name)=>new Proxy({},{get:(_,key)=>require(name)[key]}),__default=(module)=>({__proto__:module,default:module});';
  return code
    .replace('"use strict";', (directive) => directive + define)
    .replace(new RegExp(`(?<=[=, ])require\\("node:(${late.join('|')})"\\)`, 'g'), (_, module) => `__late("node:${module}")`)
    // A copy of the module for each file that imports it is what the bundler would make of `import path from 'node:path'`.
    .replace(/(?<==)[\w$]+\((require\("node:path"\)),1\)/g, (_, module) => `__default(${module})`);
}

/** Makes it the function that the launcher calls: wrapping half a megabyte there costs a copy at every start. */
function wrap(code) {
  return `(function (exports, require, module, __filename, __dirname, __import) {${code}\n})`;
}
