import { AppError, explainDecision as operation, type Connection } from '@hoop/contract';
import { findCall, findConnection, findGrant, findIdentity, findPolicy, findRecordedPolicy, findSession } from '@hoop/database';
import { headerFacts } from '@hoop/policy';
import { encodedSlashRefused, normalisePath } from '@hoop/upstream';

import { found, referred } from '../http/found.ts';
import { route, type Call } from '../http/route.ts';
import { checkPolicy } from './check-policy.ts';
import type { ExplainInput } from './explanation.ts';

type ExplainCall = Call<typeof operation>;
type Described = Exclude<ExplainCall['body'], { call: string }>;

export const explainDecision = route(operation, async (call) => {
  const { body } = call;
  const input = 'call' in body ? await recordedInput(call, body.call) : await describedInput(call, body);
  return { body: await call.context.computations.run(call.actor.id, 'explain', input) };
});

async function describedInput(call: ExplainCall, body: Described): Promise<ExplainInput> {
  const { context } = call;
  const { prisma } = context.database;
  const connection = referred(await findConnection(prisma, body.connection), 'connection', 'connection', body.connection);
  const identity =
    body.identity === undefined ? null : referred(await findIdentity(prisma, body.identity), 'identity', 'identity', body.identity);
  const mask = body.mask ?? [];
  if (body.rules !== undefined) await checkPolicy(call, { rules: body.rules, mask });
  const stored = await findPolicy(prisma, connection.id);
  const policy = body.rules === undefined ? stored : { id: stored?.id ?? null, revision: 0, rules: body.rules, mask };

  const { body: sent, ...request } = body.request;
  const path = normalisedAs(request.path, connection);
  const facts: ExplainInput['facts'] = {
    request: { ...request, path: path.normalised },
    identity: {
      name: identity?.name ?? '',
      issuer: body.issuer,
      subject: body.subject,
      claims: body.claims,
      labels: identity?.labels ?? {},
    },
    connection: { name: connection.name },
    context: body.context,
    now: body.at === undefined ? context.now() : Date.parse(body.at),
  };
  const caveats =
    identity !== null && !connection.identities.some((one) => one.id === identity.id)
      ? [`The identity "${identity.name}" is not listed by the connection, so a real call would be refused before the policy is asked.`]
      : [];
  if (connection.disabled) caveats.push('The connection is disabled, so a real call would be refused before the policy is asked.');
  if (path.refusal !== null) caveats.push(`A real call would be refused before the policy is asked: ${path.refusal}`);
  const { maxInspectedBytes } = connection.limits;
  const explained = sent === undefined ? ('absent' as const) : { json: JSON.stringify(sent), maxInspectedBytes };
  return { policy, facts, body: explained, paths: connection.paths, caveats };
}

/** As the relay would read the path, or why it would refuse the path. */
function normalisedAs(path: string, { name, paths }: Connection): { normalised: string; refusal: string | null } {
  try {
    const read = normalisePath(`/${name}${path}`);
    if (read.search !== '') return { normalised: path, refusal: 'The path has a query in it; describe it as `query`.' };
    const isRefused = read.hasEncodedSlash && paths.encodedSlash !== 'data';
    return { normalised: read.path, refusal: isRefused ? encodedSlashRefused(name).detail : null };
  } catch (error) {
    if (error instanceof AppError) return { normalised: path, refusal: error.detail };
    throw error;
  }
}

/** By the policy revision that decided it, as of its own time. What the record does not hold is said. */
async function recordedInput({ context }: ExplainCall, callId: string): Promise<ExplainInput> {
  const { prisma } = context.database;
  const call = found(await findCall(prisma, callId), 'call');
  const { decision, connection } = call;
  if (connection === null || call.method === null || call.path === null) {
    throw new AppError('not_found', `The call ${callId} was refused before a connection was resolved, so no policy was asked.`);
  }
  const recorded =
    decision?.policyId == null || decision.policyRevision === null
      ? null
      : await findRecordedPolicy(prisma, decision.policyId, decision.policyRevision);
  const policy = recorded === null ? null : { id: decision!.policyId, revision: decision!.policyRevision!, ...recorded };
  const identity = call.identity === null ? null : await findIdentity(prisma, call.identity.id);

  const url = URL.parse(call.url ?? '');
  const query: Record<string, string[]> = {};
  for (const [name, value] of url?.searchParams ?? []) (query[name] ??= []).push(value);
  const { paths } = (await findConnection(prisma, connection.id)) ?? { paths: undefined };
  const caveats = [
    'Header values and query parameters are as recorded, with secrets masked.',
    paths === undefined
      ? 'The connection is deleted: its target is taken to ignore the spelling of paths.'
      : 'How the target reads paths is taken from the connection as it is now.',
  ];
  if (identity !== null) caveats.push('Labels of the identity are those of now.');
  const claims = call.claims ?? (call.grantId === null ? null : ((await findGrant(prisma, call.grantId))?.claims ?? null));
  if (claims === null) caveats.push('The claims are those that the session has on record.');
  if (call.purgedAt !== null) caveats.push('Retention has removed headers, URL, claims and context.');
  if (call.requestBody !== null && call.requestBody.bytes > 0)
    caveats.push('The body is on record masked, so conditions that read it cannot be evaluated here.');

  const facts: ExplainInput['facts'] = {
    request: {
      method: call.method,
      path: call.path,
      query,
      headers: headerFacts(call.requestHeaders ?? []),
    },
    identity: {
      name: call.identity?.name ?? '',
      issuer: call.issuer ?? '',
      subject: call.subject ?? '',
      claims: claims ?? (await findSession(prisma, call.sessionId))?.claims ?? {},
      labels: identity?.labels ?? {},
    },
    connection: { name: connection.name ?? '' },
    context: call.context ?? {},
    now: Date.parse(call.at),
  };
  const explained = call.requestBody !== null && call.requestBody.bytes > 0 ? 'masked' : 'absent';
  return { policy, facts, body: explained, paths, caveats };
}
