export { boundHosts } from '@hoop/sealing';
export { replacesHeader } from './injection.ts';
export type { Lease } from './lease.ts';
export type { SignableRequest, Signed } from './sources/source.ts';
export { createLeaseCache, sourceTimeoutMs } from './lease-cache.ts';
export type { LeaseCache, LeaseCacheOptions } from './lease-cache.ts';
