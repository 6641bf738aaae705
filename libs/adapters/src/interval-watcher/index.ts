/** The interval watcher: watches any storage by listing it again and again. */

export { IntervalWatcher, type IntervalPace, type IntervalWatcherOptions } from './interval-watcher.js';
