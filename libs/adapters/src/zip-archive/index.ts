/** Zip archives as storages that are only read. */

export { createZipBackend, type ZipHost, type ZipParams } from './zip-backend.js';
