import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import type { BlobStore } from '@hoop/blobs';
import { countUnsignedAdminTokens, migrateDatabase, noteKeys, openDatabase, whileSlow, type Database } from '@hoop/database';
import type { compileClaimsMatch } from '@hoop/policy';
import { createGrantVerifier, createProviderVerifier, type GrantVerifier, type ProviderVerifier } from '@hoop/tokens';
import { createGuardedFetch } from '@hoop/upstream';
import { pino, type DestinationStream, type Logger } from 'pino';

import { bootstrapAdminToken } from './admin-token/bootstrap.ts';
import { createSubjectChanges, type SubjectChanges } from './approval/changes.ts';
import { createCallChanges, type CallChanges } from './call/changes.ts';
import { createComputations, type Computations } from './computation/computations.ts';
import type { ControlPlaneConfig } from './config.ts';
import { createMatchCache } from './identity/match.ts';
import { readKeys, readSecretText, type Keys } from './keys.ts';
import { createGrantClaimsReader, type GrantClaimsReader } from './oauth/grant-claims.ts';
import { createSecurityLog, type SecurityLog } from './security-event/log.ts';
import { createRowFaultReporter } from './security-event/row-faults.ts';
import { createRevisions, type Revisions } from './snapshot/revisions.ts';

/** Everything that handlers work with, wired once. */
export interface Context {
  readonly config: ControlPlaneConfig;
  readonly keys: Keys;
  readonly database: Database;
  /** Where large recorded bodies lie; null where all are in their rows. */
  readonly blobs: BlobStore | null;
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Issuer of grants. Known once the listener has its port. */
  readonly publicUrl: () => string;
  readonly providerVerifier: ProviderVerifier;
  readonly grantVerifier: () => GrantVerifier;
  readonly compileMatch: (expression: string) => ReturnType<typeof compileClaimsMatch>;
  readonly claimsRead: GrantClaimsReader;
  /** For work whose length callers decide. */
  readonly computations: Computations;
  readonly securityLog: SecurityLog;
  readonly revisions: Revisions;
  /** Of approvals and deferred calls. */
  readonly subjectChanges: SubjectChanges;
  /** Of recorded calls. */
  readonly callChanges: CallChanges;
  /** Responses that stay open, for shutting down. */
  readonly streams: Set<ServerResponse>;
  readonly isDraining: () => boolean;
  /** Told once, when the URL is known: what depends on it can start. */
  readonly ready: (publicUrl: string) => Promise<void>;
  readonly drain: () => void;
  readonly close: () => Promise<void>;
}

export interface ContextOptions {
  /** Unix milliseconds. @default Date.now */
  readonly now?: () => number;
  readonly log?: Logger;
  /** How long a computation that a caller asks for may take. @default 5000 */
  readonly computationDeadlineMs?: number;
  /** Where the log goes, where no `log` is given. @default standard output */
  readonly logTo?: DestinationStream;
}

export async function createContext(config: ControlPlaneConfig, options: ContextOptions = {}): Promise<Context> {
  const now = options.now ?? Date.now;
  const log = options.log ?? createLog(config.logLevel, options.logTo);
  const keys = await readKeys(config);
  const bootstrapToken = config.bootstrapTokenFile === undefined ? null : await readSecretText(config.bootstrapTokenFile);

  await migrateDatabase(config.databaseUrl);
  const rowFaults = createRowFaultReporter(log);
  const database = openDatabase(config.databaseUrl, {
    onError: (error) => log.warn({ err: error }, 'a database connection failed'),
    rows: keys.rows,
    onRowFault: rowFaults.report,
  });
  rowFaults.open(database, now);
  let publicUrl: string | undefined;
  let grantVerifier: GrantVerifier | undefined;
  let isDraining = false;
  const streams = new Set<ServerResponse>();
  try {
    if (bootstrapToken !== null && (await whileSlow(() => bootstrapAdminToken(database, bootstrapToken, now()))))
      log.info('the bootstrap admin token was stored');
    const unsigned = await countUnsignedAdminTokens(database.prisma);
    if (unsigned > 0) {
      const sentence = `${unsigned} admin tokens in the database carry no signature and are not accepted. If this database is from before rows were signed, look at "hoop rows list" and sign them with "hoop rows sign".`;
      log.error({ event: 'rows_not_signed', adminTokens: unsigned }, sentence);
    }
    const revisions = await createRevisions({ database, log });
    const subjectChanges = await createSubjectChanges(database);
    const callChanges = createCallChanges(database);
    const securityLog = createSecurityLog({ database, now, log });
    const computations = createComputations({
      ...(options.computationDeadlineMs === undefined ? {} : { deadlineMs: options.computationDeadlineMs }),
      onError: (error) => log.error({ err: error }, 'a thread for computations failed'),
    });
    return {
      config,
      keys,
      database,
      blobs: config.blobs ?? null,
      log,
      now,
      publicUrl: () => known(publicUrl),
      providerVerifier: createProviderVerifier({ fetch: createGuardedFetch, now }),
      grantVerifier: () => known(grantVerifier),
      compileMatch: createMatchCache(),
      claimsRead: createGrantClaimsReader(database),
      computations,
      securityLog,
      revisions,
      subjectChanges,
      callChanges,
      streams,
      isDraining: () => isDraining,
      async ready(url) {
        publicUrl = url;
        grantVerifier = createGrantVerifier({ keys: keys.grantPublic, issuer: url, audience: config.relayAudience });
        const beside = JSON.stringify([url, config.relayAudience, keys.grantPublic, keys.recordingPublic]);
        await whileSlow(() => database.inTransaction((tx) => noteKeys(tx, createHash('sha256').update(beside).digest('hex'))));
      },
      drain() {
        isDraining = true;
        subjectChanges.release();
        for (const stream of streams) stream.end();
      },
      async close() {
        await computations.close();
        await revisions.close();
        await subjectChanges.close();
        await callChanges.close();
        await securityLog.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The control plane is not ready yet.');
  return value;
}

/** Log lines are built from named members only; the paths below are a second lock. */
function createLog(level: string, to: DestinationStream = pino.destination(1)): Logger {
  const redact = {
    paths: ['*.authorization', '*.headers.authorization', '*.token', '*.secret', '*.secrets', '*.clientSecret', '*.privateKey', '*.body'],
    censor: '[redacted]',
  };
  return pino({ level, base: { app: 'control-plane' }, redact }, to);
}
