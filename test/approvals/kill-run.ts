/**
 * Many functions wait for approvals that somebody gives or refuses at random, while worker, relays and control plane are
 * killed with -9. Then everything comes to rest, and what must be so of each approval and each call is looked at.
 */
import { setTimeout as delay } from 'node:timers/promises';

import { progressUntil } from '@hoop/testkit';
import pg from 'pg';

import { startProduct, type Product } from '../chaos/product.ts';
import { seeded, type Random } from '../chaos/random.ts';
import { findApprovalBreaches, type ApprovalRow, type CallRow, type DeferredRow } from './breaches.ts';
import { askAll, type Asked, type Functions } from './functions.ts';

export interface KillRunOptions {
  readonly queue: 'postgres' | 'redis';
  readonly calls: number;
  readonly kills: number;
  readonly seed: number;
  readonly say?: (sentence: string) => void;
}

export interface KillRunResult {
  readonly breaches: string[];
  readonly kills: Readonly<Record<string, number>>;
  /** Approvals by state, calls that used one by the state of their record, deferred calls by state. */
  readonly approvals: Readonly<Record<string, number>>;
  readonly used: Readonly<Record<string, number>>;
  readonly deferred: Readonly<Record<string, number>>;
  /** Answers to functions, counted by status and error code. */
  readonly told: Readonly<Record<string, number>>;
  /** Calls that reached the target. */
  readonly received: number;
}

const connection = 'approved';
const rules = [
  {
    name: 'a person decides',
    effect: 'require_approval',
    match: { methods: ['POST'] },
    approval: { reviewers: ['group:payments'], ttl: '2h' },
  },
];

export async function runApprovalKills({ queue, calls, kills, seed, say = () => undefined }: KillRunOptions): Promise<KillRunResult> {
  const random = seeded(seed);
  const product = await startProduct({ queue, orphanSeconds: 20, deferredLostSeconds: 12, recorderTimeoutMs: 20_000 });
  const over = new AbortController();
  try {
    const approverToken = await setUp(product);
    const decided = new Map<string, 'approve' | 'deny'>();
    const asking = {
      controlPlaneUrl: product.controlPlaneUrl,
      relayUrls: product.relayUrls,
      targetUrl: product.target.url,
      connection,
      token: () => product.identityToken(),
      grant: grantSource(product),
      signal: over.signal,
    };
    const functions = askAll({ ...asking, calls, random: seeded(seed + 2) });
    const pool = new pg.Pool({ connectionString: product.databaseUrl, max: 2 });
    try {
      await allWait(pool, functions);
      say('all wait');
      // Some are decided once the kills are over: on a slow machine, too, calls go through whole.
      let kept = Math.ceil(calls * 0.3);
      const approving = approve(product, approverToken, seeded(seed + 1), decided, () => kept, over.signal);
      const killed = await killAtRandom(product, kills, random, say);
      kept = 0;
      await Promise.all(product.parts.map((part) => part.ready()));
      // On a slow machine the kills may have broken all connections before anything was decided: these go through whole.
      const later = askAll({ ...asking, calls: Math.ceil(calls * 0.3), before: calls, random: seeded(seed + 3) });
      const asked = [...functions.asked, ...later.asked];
      const open = (): number => functions.open() + later.open();
      await progressUntil('functions that wait for their answer', open, (count) => count === 0).catch(async (error: Error) => {
        const waiting = asked.filter(({ isOpen }) => isOpen);
        throw new Error(`${error.message}: ${JSON.stringify(await Promise.all(waiting.map((one) => known(pool, one))))}`, { cause: error });
      });
      say('every function has its answer');
      await Promise.all(product.parts.map((part) => part.ready()));
      await quiet(pool);
      over.abort();
      await approving;
      const rows = await readRows(pool);
      const breaches = findApprovalBreaches({ ...rows, asked, decided, received: product.target.received });
      const tally = (states: readonly string[]): Record<string, number> =>
        Object.fromEntries([...Map.groupBy(states, (state) => state)].map(([state, all]) => [state, all.length]));
      return {
        breaches,
        kills: killed,
        approvals: tally(rows.approvals.map((one) => one.state)),
        used: tally(
          rows.approvals.flatMap((one) =>
            one.consumed_by === null ? [] : [rows.calls.find((call) => call.id === one.consumed_by)?.state ?? 'no record'],
          ),
        ),
        deferred: tally(rows.deferred.map((one) => one.state)),
        told: tally(asked.map(({ kind, status, error }) => [kind, status, error].filter((part) => part !== null).join(' '))),
        received: [...product.target.received.values()].reduce((sum, one) => sum + one.times, 0),
      };
    } finally {
      await pool.end();
    }
  } finally {
    over.abort();
    await product.close();
  }
}

async function setUp({ ask, target, secrets }: Product): Promise<string> {
  const first = { 'if-none-match': '*' };
  await ask('POST', '/v1/connections', { name: connection, target: target.url, allowedCidrs: ['127.0.0.0/8'], identities: ['nightly'] });
  await ask(
    'PUT',
    `/v1/connections/${connection}/credential`,
    { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: secrets.credential } },
    first,
  );
  await ask('PUT', `/v1/connections/${connection}/policy`, { rules }, first);
  const made = (await ask('POST', '/v1/admin-tokens', { name: 'ann', role: 'approver', user: 'ann', groups: ['payments'] })) as {
    token: string;
  };
  return made.token;
}

/** One grant for many calls, while it lasts and while the control plane is there to give another. */
function grantSource(product: Product): () => Promise<string> {
  let last: { readonly at: number; readonly grant: Promise<string> } | undefined;
  const get = async (): Promise<string> => {
    for (;;) {
      const grant = await product.grant().catch(() => null);
      if (grant !== null) return grant;
      await delay(200);
    }
  };
  return () => {
    if (last === undefined || Date.now() - last.at > 60_000) last = { at: Date.now(), grant: get() };
    return last.grant;
  };
}

/** Decides at random about the approvals that wait, all but the first `kept`, until it is told to stop. Notes the decisions that the control plane confirmed. */
async function approve(
  { controlPlaneUrl }: Product,
  token: string,
  random: Random,
  decided: Map<string, 'approve' | 'deny'>,
  kept: () => number,
  stop: AbortSignal,
): Promise<void> {
  const ask = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> => {
    const response = await fetch(controlPlaneUrl + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(120_000),
    });
    return { status: response.status, body: await response.json() };
  };
  while (!stop.aborted) {
    try {
      const { body } = await ask('GET', '/v1/approvals?state=pending&mine=true&limit=200');
      const items = body.items as { id: string; digest: string }[];
      for (const { id, digest } of items.slice(kept())) {
        // Some are left for later, so that they are waited for while things die.
        if (random.next() < 0.6) continue;
        const decision = random.next() < 0.75 ? 'approve' : 'deny';
        const review = await ask('POST', `/v1/approvals/${id}/reviews`, { decision, digest });
        if (review.status === 200) decided.set(id, decision);
      }
    } catch {
      // The control plane is away; it is asked again.
    }
    await delay(150);
  }
}

async function killAtRandom(
  { controlPlane, worker, relays }: Product,
  kills: number,
  random: Random,
  say: (sentence: string) => void,
): Promise<Record<string, number>> {
  const parts = [controlPlane, worker, ...relays];
  const killed: Record<string, number> = {};
  for (let n = 0; n < kills; n++) {
    await delay(400 + random.below(1_400));
    // Everybody has a turn before anybody has a second one.
    const part = parts[n < parts.length ? n : random.below(parts.length)]!;
    // On a slow machine all would be away most of the time, and hardly a call would go through. Sometimes two are away at once.
    await Promise.all((random.next() < 0.7 ? parts : [part]).map((one) => one.ready()));
    await part.kill();
    killed[part.name] = (killed[part.name] ?? 0) + 1;
    say(`killed ${part.name}`);
    await delay(random.below(300));
    part.start();
  }
  return killed;
}

/** Returns once every function has its approval. One that ended before could not ask for any. */
async function allWait(pool: pg.Pool, { asked, open }: Functions): Promise<void> {
  const look = async (): Promise<{ waiting: number; open: number }> => {
    const { rows } = await pool.query<{ waiting: number }>(`SELECT count(*)::integer AS waiting FROM approvals WHERE state = 'pending'`);
    return { waiting: rows[0]!.waiting, open: open() };
  };
  const seen = await progressUntil(
    'calls that wait for an approval',
    look,
    ({ waiting, open: left }) => waiting === asked.length || left === 0,
  );
  if (seen.waiting !== asked.length) throw new Error(`No function waits any more: ${JSON.stringify(asked.slice(0, 20))}`);
}

/** What the database knows of a function that still waits. */
async function known(pool: pg.Pool, asked: Asked): Promise<unknown> {
  const path = `/plain/${asked.id}`;
  const { rows: approvals } = await pool.query('SELECT id, state, decided_at, usable_until, consumed_by FROM approvals WHERE path = $1', [
    path,
  ]);
  const { rows: calls } = await pool.query('SELECT id, state, error FROM calls WHERE path = $1', [path]);
  const { rows: deferred } = await pool.query('SELECT state, status, error, attempts FROM deferred_calls WHERE call_id = $1', [
    asked.callId,
  ]);
  return { asked, approvals, calls, deferred };
}

/** Nothing waits for anybody any more, and every call that used an approval was looked for in the record. */
async function quiet(pool: pg.Pool): Promise<void> {
  const look = async (): Promise<Record<'approvals' | 'deferred' | 'calls', number>> => {
    const { rows } = await pool.query<Record<'approvals' | 'deferred' | 'calls', number>>(`
      SELECT (SELECT count(*)::integer FROM approvals WHERE state = 'pending' OR (state = 'consumed' AND NOT is_call_recorded)) AS approvals,
             (SELECT count(*)::integer FROM deferred_calls WHERE state IN ('waiting', 'ready', 'running')) AS deferred,
             (SELECT count(*)::integer FROM calls WHERE state = 'pending') AS calls`);
    return rows[0]!;
  };
  await progressUntil('coming to rest', look, (open) => Object.values(open).every((count) => count === 0), { everyMs: 250 });
}

async function readRows(pool: pg.Pool): Promise<{ approvals: ApprovalRow[]; calls: CallRow[]; deferred: DeferredRow[] }> {
  const approvals = await pool.query<ApprovalRow>(`
    SELECT a.id, a.state, a.path, a.consumed_by, array_agg(r.decision) FILTER (WHERE r.decision IS NOT NULL) AS decisions
    FROM approvals a LEFT JOIN approval_reviews r ON r.approval_id = a.id GROUP BY a.id`);
  const calls = await pool.query<CallRow>(
    "SELECT id, state, error, target_status, approval_id, path FROM calls WHERE path LIKE '/plain/%'",
  );
  const deferred = await pool.query<DeferredRow>('SELECT call_id, state, status, approval_id, error FROM deferred_calls');
  return { approvals: approvals.rows, calls: calls.rows, deferred: deferred.rows };
}
