/**
 * Entry of a worker thread. The apps bundle it into a file of its own; `createLocalFsWorkers`
 * is given the path of that file.
 */

import { serveTasks } from './serve.js';

serveTasks();
