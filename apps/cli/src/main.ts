/** `wl`: the process around the program. */

import { createContainer, TOKENS } from './container.js';
import { runProgram } from './program.js';

const { env, stdout, stderr } = process;

void runProgram(process.argv.slice(2), {
  // Opened by those commands only that read it.
  get stdin() {
    return process.stdin;
  },
  stdout,
  stderr,
  env,
  open: (options) => createContainer({ options, env, workingDirectory: process.cwd(), stdout, stderr }).get(TOKENS.services),
}).then((exitCode) => {
  process.exitCode = exitCode;
});
