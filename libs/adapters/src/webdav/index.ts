/** Folders of WebDAV servers as storages. */

export { createWebdavBackend } from './create-webdav-backend.js';
export type { WebdavHost, WebdavParams } from './webdav-params.js';
