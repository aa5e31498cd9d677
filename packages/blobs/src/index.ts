export { blobKey, parseBlobKey } from './blob-key.ts';
export type { BlobOwner } from './blob-key.ts';
export type { BlobInfo, BlobStore } from './blob-store.ts';
export { createDirectoryBlobStore } from './directory-blob-store.ts';
export { blobStoreFromEnv, blobVariables } from './from-env.ts';
export { createS3BlobStore } from './s3-blob-store.ts';
export type { S3Options } from './s3-blob-store.ts';
