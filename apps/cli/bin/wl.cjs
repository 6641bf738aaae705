#!/usr/bin/env node
'use strict';
// The command `wl` of a checkout: `npm ci` links it as node_modules/.bin/wl. It starts the built
// program; the published package links the program itself.
const { existsSync } = require('node:fs');
const path = require('node:path');

const program = path.resolve(__dirname, '../../../dist/cli/wl.cjs');
if (existsSync(program)) {
  require(program);
} else {
  process.stderr.write('wl is not built yet: run `npm run build` at the top of the checkout first.\n');
  process.exitCode = 1;
}
