import type { CallState, Effect } from '@hoop/contract';

import { Prisma } from '../generated/client.ts';

/** Which calls; members add up. */
export interface CallFilter {
  readonly since?: Date | undefined;
  /** Before this instant. */
  readonly until?: Date | undefined;
  readonly sessionId?: string | undefined;
  readonly identityId?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly decision?: Effect | undefined;
  readonly rule?: string | undefined;
  readonly state?: CallState | undefined;
  /** That the function got. */
  readonly status?: number | undefined;
  readonly error?: string | undefined;
  readonly method?: string | undefined;
  /** The whole path, or with a `*` at its end every path that starts so. */
  readonly path?: string | undefined;
  readonly traceId?: string | undefined;
  readonly credentialReflected?: boolean | undefined;
}

/** How far the time in a call's id may be from its `at`: ids bound what is read of the index, `at` decides. */
const idSlackMs = 60_000;

/** Conditions on `calls`, for a WHERE with `c` as its alias. */
export function callConditions(filter: CallFilter): Prisma.Sql[] {
  const { since, until, path } = filter;
  const conditions: Prisma.Sql[] = [];
  if (since) conditions.push(Prisma.sql`c.at >= ${since}`, Prisma.sql`c.id >= id_floor('call', ${new Date(since.getTime() - idSlackMs)})`);
  if (until) conditions.push(Prisma.sql`c.at < ${until}`, Prisma.sql`c.id < id_floor('call', ${new Date(until.getTime() + idSlackMs)})`);
  const equals: readonly (readonly [Prisma.Sql, string | number | undefined])[] = [
    [Prisma.sql`c.session_id`, filter.sessionId],
    [Prisma.sql`c.identity_id`, filter.identityId],
    [Prisma.sql`c.connection_id`, filter.connectionId],
    [Prisma.sql`c.decision`, filter.decision],
    [Prisma.sql`c.rule`, filter.rule],
    [Prisma.sql`c.state`, filter.state],
    [Prisma.sql`c.status`, filter.status],
    [Prisma.sql`c.error`, filter.error],
    [Prisma.sql`c.method`, filter.method],
    [Prisma.sql`c.trace_id`, filter.traceId],
  ];
  for (const [column, value] of equals) if (value !== undefined) conditions.push(Prisma.sql`${column} = ${value}`);
  // In these words, which the index has; null: not known yet.
  if (filter.credentialReflected !== undefined)
    conditions.push(filter.credentialReflected ? Prisma.sql`c.credential_reflected` : Prisma.sql`NOT c.credential_reflected`);
  if (path !== undefined) conditions.push(...pathConditions(path));
  return conditions;
}

/** How many characters of a path the index has. */
const indexedCharacters = 200;
const lastCharacter = '\u{10ffff}';

function pathConditions(path: string): Prisma.Sql[] {
  if (!path.endsWith('*'))
    return [Prisma.sql`left(c.path, ${Prisma.raw(`${indexedCharacters}`)}) = ${start(path)}`, Prisma.sql`c.path = ${path}`];
  const prefix = path.slice(0, -1);
  const indexed = Prisma.sql`left(c.path, ${Prisma.raw(`${indexedCharacters}`)})`;
  return [
    Prisma.sql`${indexed} >= ${start(prefix)}`,
    Prisma.sql`${indexed} <= ${start(prefix) + lastCharacter}`,
    Prisma.sql`starts_with(c.path, ${prefix})`,
  ];
}

/** As Postgres' `left`, which counts code points. */
const start = (text: string): string => [...text].slice(0, indexedCharacters).join('');

export const where = (conditions: readonly Prisma.Sql[]): Prisma.Sql =>
  conditions.length === 0 ? Prisma.empty : Prisma.sql`WHERE ${Prisma.join([...conditions], ' AND ')}`;
