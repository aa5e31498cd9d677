/**
 * The walls between rooms: for each room, everything that its product code may use. Anything else is refused, and so is
 * a room that is not in the table. `lint-rules.ts` turns the table into lint rules; `test/lint/walls.test.ts` compares
 * the table with what the code really imports, in both directions.
 */

export interface Wall {
  /** Hoop's own rooms and packages of others, by name. */
  readonly packages: readonly string[];
  /** Modules of Node, without `node:`. */
  readonly node: readonly string[];
  /** The one file that reads the process's environment, relative to `src`. Default: none does. */
  readonly environment?: string;
  /**
   * Files, relative to `src`, that may open connections with what the platform offers (global `fetch`, `node:http`'s
   * `request`, `node:net`'s `connect`, …). `*` stands for any file. Default: none may; connections go through `@hoop/upstream`.
   */
  readonly connects?: readonly string[];
  /** Files that load modules by a computed name (`createRequire`, `import(name)`). Default: none. */
  readonly loads?: readonly string[];
  /** May open the secrets of credential sources. Default: false. */
  readonly opensSecrets?: boolean;
  /** Rooms that are started as processes of their own, by path, and so are dependencies without an import. */
  readonly starts?: readonly string[];
}

export const walls: Readonly<Record<string, Wall>> = {
  'apps/cli': {
    packages: [
      '@hoop/certificates',
      '@hoop/client',
      '@hoop/contract',
      '@hoop/database',
      '@hoop/embedded-postgres',
      '@hoop/fetch',
      '@hoop/file-lock',
      '@hoop/journal',
      '@hoop/queue',
      '@hoop/recording',
      '@hoop/relay',
      '@hoop/sealing',
      '@hoop/tokens',
      'commander',
      'eventsource-parser',
      'yaml',
    ],
    node: [
      'child_process',
      'crypto',
      'events',
      'fs',
      'fs/promises',
      'http',
      'net',
      'os',
      'path',
      'process',
      'readline/promises',
      'stream',
      'stream/consumers',
      'stream/promises',
      'timers/promises',
      'tls',
      'url',
      'util',
    ],
    environment: 'environment.ts',
    connects: ['*'],
    starts: ['@hoop/control-plane', '@hoop/worker'],
  },
  'apps/control-plane': {
    packages: [
      '@hoop/approvals',
      '@hoop/blobs',
      '@hoop/certificates',
      '@hoop/contract',
      '@hoop/database',
      '@hoop/environment',
      '@hoop/masking',
      '@hoop/policy',
      '@hoop/recording',
      '@hoop/sealing',
      '@hoop/tokens',
      '@hoop/upstream',
      'express',
      'jose',
      'pino',
      'piscina',
      're2js',
      'zod',
    ],
    node: ['crypto', 'events', 'fs/promises', 'http', 'https', 'net', 'process', 'timers/promises', 'util', 'worker_threads'],
    environment: 'main.ts',
  },
  'apps/relay': {
    packages: [
      '@hoop/certificates',
      '@hoop/contract',
      '@hoop/credentials',
      '@hoop/environment',
      '@hoop/journal',
      '@hoop/masking',
      '@hoop/policy',
      '@hoop/queue',
      '@hoop/recording',
      '@hoop/sealing',
      '@hoop/telemetry',
      '@hoop/tokens',
      '@hoop/upstream',
      'eventsource-parser',
      'lru-cache',
      'pino',
      'undici',
      'zod',
    ],
    node: [
      'child_process',
      'cluster',
      'crypto',
      'events',
      'fs',
      'fs/promises',
      'http',
      'https',
      'net',
      'stream',
      'timers/promises',
      'tls',
      'util',
    ],
    environment: 'main.ts',
    // listener/connect.ts makes the server's end of TLS on a socket that it was given.
    connects: ['control-plane/*', 'deferred/run-deferred.ts', 'listener/connect.ts'],
    opensSecrets: true,
  },
  'apps/worker': {
    packages: [
      '@hoop/approvals',
      '@hoop/blobs',
      '@hoop/contract',
      '@hoop/database',
      '@hoop/environment',
      '@hoop/queue',
      '@hoop/recording',
      '@hoop/sealing',
      '@hoop/upstream',
      'pino',
      'standardwebhooks',
      'zod',
    ],
    node: ['fs', 'fs/promises', 'path', 'timers/promises'],
    environment: 'main.ts',
  },
  'packages/approvals': { packages: ['@hoop/contract'], node: [] },
  'packages/blobs': {
    packages: ['@hoop/contract', '@hoop/environment', 'aws4fetch', 'zod'],
    node: ['crypto', 'fs', 'fs/promises', 'path'],
    connects: ['s3.ts'],
  },
  'packages/certificates': { packages: ['@peculiar/x509', 'lru-cache', 'reflect-metadata'], node: ['crypto', 'fs', 'net', 'tls'] },
  'packages/client': { packages: [], node: [], connects: ['client.ts'] },
  'packages/contract': { packages: ['lru-cache', 'whatwg-mimetype', 'zod'], node: [] },
  'packages/credentials': {
    packages: ['@hoop/contract', '@hoop/sealing', '@hoop/upstream', 'jose'],
    node: ['crypto', 'timers/promises'],
    opensSecrets: true,
  },
  'packages/database': {
    packages: ['@hoop/approvals', '@hoop/contract', '@hoop/recording', '@prisma/adapter-pg', 'pg'],
    node: ['crypto', 'fs/promises', 'timers/promises', 'url', 'util'],
  },
  'packages/embedded-postgres': {
    packages: ['pg'],
    node: ['child_process', 'crypto', 'events', 'fs/promises', 'module', 'net', 'os', 'path', 'readline', 'timers/promises'],
    environment: 'start.ts',
    connects: ['ports.ts'],
    loads: ['binaries.ts'],
  },
  'packages/environment': { packages: ['zod'], node: [] },
  'packages/fetch': {
    packages: [],
    node: [],
    environment: 'environment.ts',
    connects: ['*'],
    loads: ['tokens/from-file.ts'],
  },
  'packages/file-lock': { packages: [], node: ['fs', 'sqlite'] },
  'packages/journal': { packages: ['@hoop/file-lock'], node: ['crypto', 'fs', 'fs/promises', 'path', 'util'] },
  'packages/telemetry': { packages: ['prom-client'], node: ['http', 'net'] },
  'packages/masking': {
    packages: ['@hoop/contract', '@noble/hashes', 'ibantools', 'libphonenumber-js', 're2js'],
    node: ['stream', 'worker_threads', 'zlib'],
  },
  'packages/policy': { packages: ['@hoop/contract', '@marcbachmann/cel-js', 're2js'], node: [] },
  'packages/queue': {
    packages: ['@hoop/contract', '@hoop/environment', 'bullmq', 'ioredis', 'pg', 'zod'],
    node: ['crypto', 'timers/promises', 'zlib'],
    connects: ['*'],
  },
  'packages/recording': { packages: ['@hoop/contract'], node: ['crypto', 'http', 'util', 'zlib'] },
  'packages/sealing': { packages: ['@hoop/contract', 'jose'], node: ['crypto'] },
  'packages/tokens': { packages: ['@hoop/contract', 'jose'], node: [] },
  'packages/upstream': {
    packages: ['@hoop/contract', 'got', 'ipaddr.js', 'undici'],
    node: ['dns', 'http', 'https', 'net', 'tls'],
    connects: ['*'],
  },
  // Examples are user code: they have the SDK and nothing else of Hoop.
  'examples/identity-provider': {
    packages: ['oidc-provider'],
    node: ['events', 'fs/promises', 'http', 'net'],
    environment: 'main.ts',
    connects: ['*'],
  },
  'examples/nightly-billing': { packages: ['@hoop/fetch'], node: [], environment: 'main.ts', connects: ['*'] },
  'examples/payments-api': { packages: [], node: ['crypto', 'events', 'http', 'net'], environment: 'main.ts', connects: ['*'] },
};

/** Exports that open a connection, by module of Node. Types of the same modules stay allowed. */
export const connecting: Readonly<Record<string, readonly string[]>> = {
  dns: ['lookup', 'resolve', 'promises', 'Resolver'],
  http: ['request', 'get', 'Agent', 'ClientRequest', 'globalAgent', 'WebSocket', 'EventSource'],
  https: ['request', 'get', 'Agent', 'globalAgent'],
  net: ['connect', 'createConnection', 'Socket', 'Stream'],
  tls: ['connect', 'TLSSocket'],
};

/** Globals that open a connection. */
export const connectingGlobals = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'WebTransport'] as const;

/** Exports of `@hoop/sealing` that open the secrets of credential sources. */
export const openingSecrets = ['openSecrets', 'resealSecrets'] as const;

/** The rooms that packages share their folders with: tests and what tests need. */
export const testFiles = [
  'packages/*/src/**/*.test.ts',
  'packages/*/src/**/testing/**',
  'packages/{credentials,masking}/src/**/testing.ts',
  'packages/masking/src/detectors/corpus.ts',
  'packages/*/test/**',
  'packages/*/scripts/**',
  'packages/testkit/**',
  'apps/*/src/**/*.test.ts',
  'apps/*/test/**',
  'apps/*/scripts/**',
  'examples/**/*.test.ts',
  'test/**',
  'bench/**',
  'scripts/**',
  'deploy/**',
  'vitest.config.ts',
  'prisma.config.ts',
] as const;
