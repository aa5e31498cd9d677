/**
 * One Postgres per test run, started when the first test asks for it, in the process that outlives all workers.
 * Workers ask over HTTP on loopback; the migrated template is made once.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { startPostgres, type EmbeddedPostgres } from '@hoop/embedded-postgres';
import pg from 'pg';

import { templateName, withDatabase } from './postgres-url.ts';

export interface PostgresBroker {
  readonly url: string;
  close(): Promise<void>;
}

interface Started {
  readonly url: string;
  readonly server: EmbeddedPostgres | undefined;
  readonly folder: string | undefined;
}

async function start(): Promise<Started> {
  const given = process.env['HOOP_TEST_POSTGRES_URL'];
  if (given !== undefined) return { url: given, server: undefined, folder: undefined };
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-test-postgres-'));
  const server = await startPostgres({
    folder: path.join(folder, 'data'),
    port: 0,
    password: 'hoop',
    unsafeNoFsync: true,
    settings: { max_connections: '400', shared_buffers: '64MB' },
  });
  return { url: server.url, server, folder };
}

async function makeTemplate(url: string): Promise<void> {
  const client = new pg.Client(withDatabase(url, 'postgres'));
  await client.connect();
  try {
    await client.query(`drop database if exists ${templateName} with (force)`);
    await client.query(`create database ${templateName}`);
  } finally {
    await client.end();
  }
  // Loaded only now, so that runs without a database need none of it.
  const { migrateDatabase } = await import('@hoop/database');
  await migrateDatabase(withDatabase(url, templateName));
}

/** Serves `GET /` -> `{ url }` of the owner role, and `GET /template` -> the same once the template is there. */
export async function startPostgresBroker(): Promise<PostgresBroker> {
  let started: Promise<Started> | undefined;
  let template: Promise<void> | undefined;

  const answer = async (path: string | undefined): Promise<string> => {
    started ??= start();
    const { url } = await started;
    if (path === '/template') {
      template ??= makeTemplate(url);
      await template;
    }
    return url;
  };

  const server = http.createServer((request, response) => {
    answer(request.url).then(
      (url) => response.end(JSON.stringify({ url })),
      (error: unknown) => {
        response.statusCode = 500;
        response.end(JSON.stringify({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }));
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      if (started === undefined) return;
      const { server: postgres, folder } = await started.catch(() => ({ server: undefined, folder: undefined }));
      await postgres?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
