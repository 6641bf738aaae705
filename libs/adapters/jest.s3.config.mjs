/** Tests against a real S3 server, which the environment names: WL_S3_ENDPOINT, WL_S3_ACCESS_KEY, WL_S3_SECRET_KEY, WL_S3_REGION. */
import { preset } from '../../jest.preset.mjs';

export default {
  ...preset(import.meta.dirname, 'adapters-s3'),
  testMatch: ['<rootDir>/src/**/*.s3.ts'],
};
