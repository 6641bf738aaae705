/** Tests against a real SFTP server, which the environment names: WL_SFTP_PORT, WL_SFTP_LOGIN, WL_SFTP_IDENTITY, WL_SFTP_HOST_KEY, WL_SFTP_FILES. Some start one more of their own, to harm it. */
import { preset } from '../../jest.preset.mjs';

export default {
  ...preset(import.meta.dirname, 'adapters-sftp'),
  testMatch: ['<rootDir>/src/**/*.sftp.ts'],
  // They wait more than they work: for seconds to pass by the server's clock.
  maxWorkers: 4,
};
