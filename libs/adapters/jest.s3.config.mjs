import { preset } from '../../jest.preset.mjs';

/** Tests that need a real S3 server (`npm run test:s3`), named by WL_S3_ENDPOINT and its keys. */
export default {
  ...preset(import.meta.dirname, 'adapters-s3'),
  testMatch: ['<rootDir>/src/**/*.s3.ts'],
};
