export { boundHosts } from '@hoop/sealing';
export type { Injectable } from './injection.ts';
export type { Lease } from './lease.ts';
export { createLeaseCache, sourceTimeoutMs } from './lease-cache.ts';
export type { LeaseCache, LeaseCacheOptions } from './lease-cache.ts';
