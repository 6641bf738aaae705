/** `wl`: the process around the program. */

import { createContainer, TOKENS } from './container.js';
import { runProgram } from './program.js';

const { env, stdin, stdout, stderr } = process;

void runProgram(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  open: (options) => createContainer({ options, env, workingDirectory: process.cwd(), stdout, stderr }).get(TOKENS.services),
}).then((exitCode) => {
  process.exitCode = exitCode;
});
