export { createTestAuthority, type ServerCertificate, type TestAuthority } from './certificates.ts';
export { testClock, type TestClock } from './clock.ts';
export { createTestDatabase, startTestPostgres, type TestDatabase } from './database.ts';
export { startGate, type Gate } from './gate.ts';
export { startIssuer, type TestIssuer, type TestIssuerOptions } from './issuer.ts';
export { startOidcProvider, type TestOidcProvider, type TestOidcProviderOptions } from './oidc-provider.ts';
export { eventually, progressUntil, signalIfPresent, stuckAfterMs, type ProgressOptions } from './progress.ts';
export { redisIsAvailable, startTestRedis, type TestRedis, type TestRedisOptions } from './redis.ts';
export { readBody, startTarget, type TestTarget, type TestTargetOptions } from './target.ts';
