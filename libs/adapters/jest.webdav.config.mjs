/** Tests against real WebDAV servers, which the environment names: WL_DAV_APACHE, WL_DAV_APACHE_DIGEST, WL_DAV_NGINX, WL_DAV_LOGIN, WL_DAV_PASSWORD. */
import { preset } from '../../jest.preset.mjs';

export default {
  ...preset(import.meta.dirname, 'adapters-webdav'),
  testMatch: ['<rootDir>/src/**/*.dav.ts'],
};
