/** Invariants at rest: the records against the target's counts and the answers that functions got. */
import pg from 'pg';

import type { Sent } from './load.ts';
import type { Received } from './target.ts';

export interface Recorded {
  readonly id: string;
  readonly state: string;
  readonly hasHead: boolean;
  readonly at: number;
  readonly decision: string | null;
  readonly status: number | null;
  readonly targetStatus: number | null;
  readonly error: string | null;
  readonly requestBytes: number | null;
  /** The record says that the request was sent twice. */
  readonly isResent: boolean;
}

export interface Evidence {
  readonly received: ReadonlyMap<string, Received>;
  readonly sent: ReadonlyMap<string, Sent>;
  /** Records by the id in their URL. */
  readonly recorded: ReadonlyMap<string, readonly Recorded[]>;
  /** When a relay was killed, Unix milliseconds. */
  readonly relayKills: readonly number[];
  readonly secrets: readonly string[];
}

/** Longer than any call of the load lasts. */
const longestCallMs = 21_000;

/** Each breach as a sentence; none: the record is true. */
export function findBreaches({ received, sent, recorded, relayKills, secrets }: Evidence): string[] {
  const breaches: string[] = [];
  const check = (isTrue: boolean, id: string, sentence: string): void => {
    if (!isTrue)
      breaches.push(
        `${id}: ${sentence}; sent ${JSON.stringify(short(sent.get(id)))}, received ${JSON.stringify(received.get(id))}, recorded ${JSON.stringify(recorded.get(id))}`,
      );
  };
  for (const [id, one] of received) {
    // A GET whose kept-alive connection was closed before anything came back is sent once more, and its record says so.
    const [record] = recorded.get(id) ?? [];
    const isResent = one.method === 'GET' && one.bodyBytes === 0 && (record?.isResent === true || record?.state === 'unknown');
    check(one.times === 1 || (one.times === 2 && isResent), id, 'reached the target more than once');
    check(one.hadCredential, id, 'reached the target without its credential');
    check(recorded.has(id), id, 'reached the target and has no record');
  }
  for (const [id, records] of recorded) {
    check(records.length === 1, id, 'is recorded more than once');
    for (const record of records)
      checkRecord(record, sent.get(id), received.get(id), relayKills, (isTrue, sentence) => check(isTrue, id, sentence));
  }
  for (const [id, one] of sent) {
    const record = recorded.get(id)?.[0];
    for (const secret of secrets) check(!one.body.includes(secret), id, 'gave its function what is masked');
    if (one.ending !== 'complete') continue;
    if (one.error === null) {
      check(received.has(id), id, 'gave its function a response that no target sent');
      check(record?.id === one.callId, id, 'names another record than its own');
      const isKept = record?.state === 'completed' && record.status === one.status;
      check(
        isKept || (one.connection === 'relaxed' && record?.state === 'unknown'),
        id,
        'gave its function the whole response, and the record does not say so',
      );
    }
    if (one.error === 'policy_denied')
      check(record?.state === 'refused' && record.decision === 'deny', id, 'was denied, and the record does not say so');
    if (one.error === 'recorder_unavailable') check(!received.has(id), id, 'was told that it was not carried out, and it was');
    if (one.error === 'outcome_not_recorded') check(received.has(id), id, 'was told that it was carried out, and it was not');
  }
  return breaches;
}

function checkRecord(
  record: Recorded,
  one: Sent | undefined,
  got: Received | undefined,
  relayKills: readonly number[],
  check: (isTrue: boolean, sentence: string) => void,
): void {
  check(one !== undefined, 'is recorded and was never sent');
  check(record.hasHead, 'has an outcome and no intent');
  if (record.targetStatus !== null) check(got?.status === record.targetStatus, 'claims a status that the target did not send');
  const isDelivered = one?.ending === 'complete' && one.error === null;
  switch (record.state) {
    case 'completed':
      check(got?.isAnswered === true && record.status === record.targetStatus, 'claims a whole response that the target did not send');
      if (one?.kind === 'upload')
        check(record.requestBytes === one.bodyBytes && got?.bodyBytes === one.bodyBytes, 'has another size than the body that was sent');
      break;
    case 'refused':
      check(got === undefined && record.error !== null, 'claims that nothing was sent');
      break;
    case 'failed':
      check(record.error !== null && !isDelivered, 'claims a failure that was none');
      break;
    case 'aborted':
      check(one?.ending !== 'complete', 'claims that its function left');
      break;
    case 'unknown':
      check(
        relayKills.some((at) => record.at <= at && at <= record.at + longestCallMs),
        'is unknown although no relay died under it',
      );
      break;
    default:
      check(false, 'has no outcome');
  }
}

const short = (one: Sent | undefined): unknown => (one === undefined ? undefined : { ...one, body: one.body.length });

/** The records of the load's calls, and breaches that only the database can tell. */
export async function readRecords(databaseUrl: string): Promise<{ recorded: Map<string, Recorded[]>; breaches: string[] }> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const { rows } = await client.query<Recorded & { path: string }>(
      `SELECT id, state, has_head AS "hasHead", (extract(epoch FROM at) * 1000)::float8 AS at, decision, status, target_status AS "targetStatus", error,
              coalesce(error_detail LIKE '%The request was sent twice%', false) AS "isResent",
              (request_body->>'bytes')::int AS "requestBytes", path
         FROM calls WHERE path ~ '/[a-z]+[0-9]+$'`,
    );
    const recorded = new Map<string, Recorded[]>();
    for (const { path, ...record } of rows) {
      const id = path.slice(path.lastIndexOf('/') + 1);
      const known = recorded.get(id);
      if (known) known.push(record);
      else recorded.set(id, [record]);
    }
    const breaches: string[] = [];
    const { rows: miscounted } = await client.query<{ id: string }>(
      `SELECT s.id FROM sessions s JOIN (
           SELECT session_id, count(*) AS calls, count(*) FILTER (WHERE state = 'refused') AS refused,
                  count(*) FILTER (WHERE state IN ('failed', 'aborted', 'unknown')) AS failed
             FROM calls GROUP BY session_id) c ON c.session_id = s.id
        WHERE (s.call_count, s.refused_count, s.failed_count) IS DISTINCT FROM (c.calls, c.refused, c.failed)`,
    );
    for (const { id } of miscounted) breaches.push(`the counters of session ${id} do not agree with its calls`);
    const { rows: sessionless } = await client.query<{ id: string }>(
      'SELECT id FROM calls c WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = c.session_id)',
    );
    for (const { id } of sessionless) breaches.push(`call ${id} belongs to no session`);
    return { recorded, breaches };
  } finally {
    await client.end();
  }
}
