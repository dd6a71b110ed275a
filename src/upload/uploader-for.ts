/** From the file that names a bucket to what uploads to it. Loaded only where there is such a file. */
import { readObjectStoreConfig } from './objstore-config.ts';
import { S3Bucket } from './s3-bucket.ts';
import { Uploader, type UploaderOptions } from './uploader.ts';

export type CreateUploader = (
  options: Omit<UploaderOptions, 'bucket'> & { readonly userAgent: string },
) => Uploader;

/** @throws ConfigError */
export function uploaderFor(file: string): CreateUploader {
  const config = readObjectStoreConfig(file);
  return ({ userAgent, ...options }) =>
    new Uploader({ ...options, bucket: new S3Bucket(config, { clock: options.clock, userAgent }) });
}
