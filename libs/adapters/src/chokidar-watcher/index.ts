/** The chokidar watcher: hints at changes in a local directory as they happen. */

export { ChokidarWatcher, type ChokidarWatcherOptions } from './chokidar-watcher.js';
