/**
 * Measures approvals: time from sending the deciding review to the waiting function's response, against a plain call with
 * the same body on the same connection, with the queue on Postgres and on Redis; and what a review and the list of what
 * waits take with 10,000 pending approvals against 10. Real processes; `--calls N` (20) held calls in each turn.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { newId } from '@hoop/contract';
import { openDatabase, signRows, type RowJwkSet } from '@hoop/database';
import { findProgram } from '@hoop/testkit';
import pg from 'pg';

import { startProduct, type Product } from '../test/chaos/product.ts';
import { openBench, recordLatencies, type Sample } from './measure.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, calls: { type: 'string', default: '20' } } });
const heldCalls = Number(values.calls);
const reviewsPerTurn = 40;

const bench = openBench('approvals');
const connection = 'approved';
const rules = [
  { name: 'small', effect: 'allow', match: { methods: ['POST'] } },
  {
    name: 'large',
    effect: 'require_approval',
    match: { methods: ['POST'] },
    when: 'request.body.amount > 100',
    approval: { reviewers: ['group:payments'], ttl: '1d' },
  },
];

interface Scene {
  readonly product: Product;
  readonly pool: pg.Pool;
  /** As the approver; throws where the answer is not of the 200s. */
  ask(method: string, path: string, body?: unknown): Promise<any>;
  /** A call through the relay; resolves once the whole response is there. */
  call(amount: number): Promise<void>;
  close(): Promise<void>;
}

async function open(queue: 'postgres' | 'redis'): Promise<Scene> {
  const product = await startProduct({ queue, relays: 1 });
  const { target, secrets, controlPlaneUrl } = product;
  const first = { 'if-none-match': '*' };
  await product.ask('POST', '/v1/connections', {
    name: connection,
    target: target.url,
    allowedCidrs: ['127.0.0.0/8'],
    identities: ['nightly'],
  });
  await product.ask(
    'PUT',
    `/v1/connections/${connection}/credential`,
    { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: secrets.credential } },
    first,
  );
  await product.ask('PUT', `/v1/connections/${connection}/policy`, { rules }, first);
  const { token } = (await product.ask('POST', '/v1/admin-tokens', {
    name: 'ann',
    role: 'approver',
    user: 'ann',
    groups: ['payments'],
  })) as { token: string };
  const pool = new pg.Pool({ connectionString: product.databaseUrl, max: 2 });
  const grant = await product.grant();
  let calls = 0;

  const scene: Scene = {
    product,
    pool,
    async ask(method, path, body) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const response = await fetch(controlPlaneUrl + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    async call(amount) {
      const headers = { 'hoop-grant': grant, 'content-type': 'application/json' };
      const response = await fetch(`${product.relayUrls[0]}/${connection}/plain/b${++calls}`, {
        method: 'POST',
        body: JSON.stringify({ amount }),
        headers,
      });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${response.status} ${text}`);
    },
    async close() {
      await pool.end();
      await product.close();
    },
  };
  // Until the relay has heard of the connection it does not know it.
  for (let attempt = 1; ; attempt++) {
    try {
      await scene.call(1);
      return scene;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const sampleOf = ({ p50Ms, p99Ms }: { readonly p50Ms: number; readonly p99Ms: number }): Sample => ({ value: p50Ms, p50Ms, p99Ms });

/** One after the other: held until it is known to wait, then decided. */
async function decisions({ ask, call }: Scene): Promise<Sample> {
  const latencies = recordLatencies();
  for (let n = 0; n < heldCalls; n++) {
    const response = call(200);
    let pending: { id: string; digest: string } | undefined;
    while (pending === undefined) [pending] = (await ask('GET', '/v1/approvals?state=pending&mine=true&limit=1')).items;
    const from = performance.now();
    const reviewed = ask('POST', `/v1/approvals/${pending.id}/reviews`, { decision: 'approve', digest: pending.digest });
    await response;
    latencies.add(performance.now() - from);
    await reviewed;
  }
  return sampleOf(latencies);
}

async function plainCalls({ call }: Scene): Promise<Sample> {
  const latencies = recordLatencies();
  for (let n = 0; n < heldCalls; n++) {
    const from = performance.now();
    await call(1);
    latencies.add(performance.now() - from);
  }
  return sampleOf(latencies);
}

/** Copies of a pending approval, as if of many functions. */
async function fill({ product, pool, ask, call }: Scene, count: number): Promise<void> {
  const left = call(200).catch(() => undefined);
  let first: { id: string } | undefined;
  while (first === undefined) [first] = (await ask('GET', '/v1/approvals?state=pending&limit=1')).items;
  await insertCopies(product, pool, first.id, count - 1);
  await pool.query('VACUUM ANALYZE approvals');
  void left;
}

async function insertCopies(
  { databaseUrl, rowKeyFile }: Product,
  pool: pg.Pool,
  from: string,
  count: number,
): Promise<{ id: string; digest: string }[]> {
  const copies = Array.from({ length: count }, () => ({
    id: newId('approval'),
    digest: crypto.randomUUID().replaceAll('-', '').padEnd(64, '0'),
  }));
  await pool.query(
    `INSERT INTO approvals (id, digest, identity_id, identity_name, identity_owner, connection_id, connection_name, policy_id, policy_revision, requirements, rules, reviewers,
                            method, url, path, body_bytes, call_id, session_id, shown_key, shown, requested_at, expires_at)
     SELECT copy.id, copy.digest, left(identity_id, 28) || lpad((n % 100)::text, 2, '0'), identity_name, identity_owner, connection_id, connection_name, policy_id, policy_revision,
            requirements, rules, reviewers, method, url, path, body_bytes, call_id, session_id, shown_key, shown, requested_at, expires_at
     FROM approvals, unnest($2::text[], $3::text[]) WITH ORDINALITY AS copy(id, digest, n) WHERE approvals.id = $1`,
    [from, copies.map((one) => one.id), copies.map((one) => one.digest)],
  );
  const controlPlane = JSON.parse(await readFile(rowKeyFile, 'utf8')) as RowJwkSet;
  const database = openDatabase(databaseUrl, { rows: { controlPlane } });
  await signRows(database, { kinds: ['approval'], write: true });
  await database.close();
  return copies;
}

async function reviews({ product, pool, ask }: Scene): Promise<Sample> {
  const [first] = (await ask('GET', '/v1/approvals?state=pending&limit=1')).items as { id: string }[];
  const copies = await insertCopies(product, pool, first!.id, reviewsPerTurn);
  const latencies = recordLatencies();
  for (const { id, digest } of copies) {
    const from = performance.now();
    await ask('POST', `/v1/approvals/${id}/reviews`, { decision: 'deny', digest, comment: 'no' });
    latencies.add(performance.now() - from);
  }
  return sampleOf(latencies);
}

async function lists({ ask }: Scene): Promise<Sample> {
  const latencies = recordLatencies();
  for (let n = 0; n < reviewsPerTurn; n++) {
    const from = performance.now();
    // As many as there are on both sides, or the longer answer would be measured.
    const { items } = await ask('GET', '/v1/approvals?state=pending&mine=true&limit=10');
    latencies.add(performance.now() - from);
    if (items.length !== 10) throw new Error(`The list has ${items.length} approvals.`);
  }
  return sampleOf(latencies);
}

for (const queue of ['postgres', 'redis'] as const) {
  if (queue === 'redis' && findProgram('redis-server') === null) {
    process.stderr.write('approvals: there is no Redis here, so that half is not measured.\n');
    continue;
  }
  const scene = await open(queue);
  try {
    await bench.compare({
      case: `review to response over a plain call, ${queue}`,
      unit: 'ms',
      lowerIsBetter: true,
      candidate: () => decisions(scene),
      baseline: () => plainCalls(scene),
      extra: { queue, calls: heldCalls },
    });
  } finally {
    await scene.close();
  }
}

const [few, many] = [await open('postgres'), await open('postgres')];
try {
  await fill(few, 10);
  await fill(many, 10_000);
  const compare = (name: string, measure: (scene: Scene) => Promise<Sample>): Promise<unknown> =>
    bench.compare({
      case: `${name} with 10,000 pending over 10`,
      unit: 'ms',
      goal: 1.5,
      lowerIsBetter: true,
      candidate: () => measure(many),
      baseline: () => measure(few),
    });
  await compare('a review', reviews);
  await compare('the list of what waits for me', lists);
} finally {
  await few.close();
  await many.close();
}
