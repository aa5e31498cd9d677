/** A database of its own for a test file, on the run's one Postgres. */
import { randomBytes } from 'node:crypto';

import pg from 'pg';
import { inject } from 'vitest';

import type {} from './global-setup.ts';
import { templateName, withDatabase } from './postgres-url.ts';

export interface TestDatabase {
  /** Connection URL of the owner role. */
  readonly url: string;
  /** Cuts every connection and removes the database. */
  drop(): Promise<void>;
}

async function ask(path: string): Promise<string> {
  const response = await fetch(`${inject('postgresBroker')}${path}`);
  const body = (await response.json()) as { url?: string; error?: string };
  if (body.url === undefined) throw new Error(`The test Postgres is not available: ${body.error}`);
  return body.url;
}

/** The run's Postgres: URL of its owner role (a superuser) on the database `postgres`. */
export async function startTestPostgres(): Promise<string> {
  return withDatabase(await ask('/'), 'postgres');
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client(withDatabase(url, 'postgres'));
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * A fresh database with all migrations applied.
 *
 * @param options.empty make it without any table. @default false
 */
export async function createTestDatabase(options: { readonly empty?: boolean } = {}): Promise<TestDatabase> {
  const isEmpty = options.empty === true;
  const server = await ask(isEmpty ? '/' : '/template');
  const name = `hoop_test_${randomBytes(8).toString('hex')}`;
  await onServer(server, `create database ${name}${isEmpty ? '' : ` template ${templateName}`}`);
  return {
    url: withDatabase(server, name),
    drop: () => onServer(server, `drop database if exists ${name} with (force)`),
  };
}
