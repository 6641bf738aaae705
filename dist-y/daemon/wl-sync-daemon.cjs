#!/usr/bin/env node
'use strict';
// Starts daemon.cjs from V8's code cache: compiling the bundle anew would be a good part of the
// time of a short command, and Node.js 20 has no module.enableCompileCache. The cache is a
// convenience: whatever is wrong with it (unwritable, damaged, of another Node.js), the program
// runs without it.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const vm = require('node:vm');

// Output that cannot be written must not end in a stack trace. The daemon goes on: it outlives
// whoever started it and read its first lines.
const outlivesItsReader = true;
process.stderr.on('error', () => undefined); // nowhere left to report to
process.stdout.on('error', (error) => {
  if (outlivesItsReader) return;
  // The reader left early (`wl ... | head`): what a program killed by SIGPIPE reports, since
  // nothing can be said about the outcome.
  if (error.code === 'EPIPE') process.exit(141);
  process.stderr.write(`wl: unable to write the output: ${error.message}\n`);
  process.exit(1);
});

// Which features Node.js calls experimental (its SQLite, in version 22) is known to us and covered
// by tests; whoever runs the program can do nothing about it.
const { emitWarning } = process;
process.emitWarning = function (warning, ...rest) {
  const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0];
  if ((type ?? warning?.name) !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest);
};

const file = path.join(__dirname, 'daemon.cjs');
// The bundler writes nothing but ASCII, which is read faster as such.
const source = fs.readFileSync(file, 'latin1');

/** Where the compiled code of exactly this bundle and this Node.js is kept; undefined: nowhere. */
function cacheFile() {
  try {
    const home = process.env.XDG_CACHE_HOME;
    const directory = path.join(home && path.isAbsolute(home) ? home : path.join(os.homedir(), '.cache'), 'wl');
    const stamp = fs.statSync(file);
    // Whatever else matters (V8 flags, CPU features), V8 checks itself and rejects the data.
    const key = ['daemon', process.version, process.arch, stamp.size, Math.round(stamp.mtimeMs)];
    return path.join(directory, `${key.join('-')}.v8`);
  } catch {
    return undefined;
  }
}

const cache = cacheFile();
let cachedData;
try {
  if (cache !== undefined) cachedData = fs.readFileSync(cache);
} catch {
  // First start of this bundle, or the folder is not ours to read.
}

// A script that comes from the cache has lost its way to load modules (import() then rejects with
// "A dynamic import callback was not specified"), so the bundle, which is one function, is given that of this file.
// What lives longer than a batch grows by half before it is collected; nothing that does grows with the tree. Not on the command line,
// where a Node.js that does not know it would refuse to start, and not later: V8 takes no code that was compiled under other flags.
if (outlivesItsReader) require('node:v8').setFlagsFromString('--heap-growing-percent=50');
const script = new vm.Script(source, { filename: file, cachedData });

if (cache !== undefined && (cachedData === undefined || script.cachedDataRejected)) {
  // At exit the functions this run needed are compiled, and so become part of the cache.
  process.on('exit', () => {
    const staging = `${cache}.${process.pid}`;
    try {
      fs.mkdirSync(path.dirname(cache), { recursive: true, mode: 0o700 });
      fs.writeFileSync(staging, script.createCachedData(), { mode: 0o600 });
      fs.renameSync(staging, cache);
    } catch {
      try {
        fs.rmSync(staging, { force: true });
      } catch {
        // Nothing was written there, then.
      }
    }
  });
}

const program = { exports: {} };
script.runInThisContext().call(program.exports, program.exports, require, program, file, __dirname, (specifier) =>
  import(specifier),
);
