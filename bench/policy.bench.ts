/**
 * Measures decisions: with 10,000 connections as with 10, and by the number of rules. A decision here is what the
 * relay does: look the connection's compiled policy up by name, then decide.
 */
import { compilePolicy, decide } from '@hoop/policy';
import type { CompiledPolicy, Facts } from '@hoop/policy';
import type { Rule } from '@hoop/contract';

import { median, openBench, pinSelf, timeCalls } from './measure.ts';

const bench = openBench('policy');
pinSelf();

/** As a payments API's policy would be: reads, refunds with context and an approval, no deletion. */
function policyRules(connection: number): Rule[] {
  const base = `/v1/accounts-${connection % 97}`;
  return [
    { name: 'read', effect: 'allow', match: { methods: ['GET'], paths: [base, `${base}/:id`, `${base}/:id/invoices`] } },
    {
      name: 'own labels',
      effect: 'allow',
      match: { methods: ['GET'], paths: ['/v1/reports/*'] },
      when: 'identity.labels.team == "billing"',
    },
    {
      name: 'ticket',
      effect: 'require_context',
      match: { methods: ['POST'], paths: [`${base}/:id/refunds`] },
      context: { ticket: '^OPS-[0-9]+$' },
    },
    {
      name: 'large',
      effect: 'require_approval',
      match: { methods: ['POST'], paths: [`${base}/:id/refunds`] },
      when: `request.body.amount > ${1000 + (connection % 13) * 500}`,
      approval: { reviewers: ['group:payments'], quorum: 1, ttl: '30m', validity: ['once'], fourEyes: false, requireComment: false },
    },
    { name: 'no deletion', effect: 'deny', match: { methods: ['DELETE'] } },
  ];
}

const factsFor = (method: string, path: string, amount: number | null = null): Facts => ({
  request: {
    method,
    path,
    query: {},
    headers: { accept: 'application/json' },
    body: amount === null ? null : { amount },
    bodyState: amount === null ? 'absent' : 'parsed',
  },
  identity: {
    name: 'nightly-billing',
    issuer: 'https://issuer.example',
    subject: 'repo:acme/billing',
    claims: { ref: 'refs/heads/main' },
    labels: { team: 'billing' },
  },
  connection: { name: 'payments' },
  context: { ticket: 'OPS-12' },
  now: 1_764_000_000_000,
});

const connectionsOf = (count: number): { policies: Map<string, CompiledPolicy>; names: string[] } => {
  const names = Array.from({ length: count }, (_, i) => `connection-${i}`);
  return { names, policies: new Map(names.map((name, i) => [name, compilePolicy({ id: name, revision: 1, rules: policyRules(i) })])) };
};

const few = connectionsOf(10);
const many = connectionsOf(10_000);

/**
 * A random order of calls to the first `spread` connections. A relay makes the facts of each call anew, and decides
 * while they are in the cache; here the same 400 or so are used again and again, whatever the number of connections.
 */
function callsOver(names: readonly string[], spread: number): { name: string; facts: Facts }[] {
  const bases = Math.min(spread, 97);
  const ids = Math.ceil(97 / bases);
  const pool = Array.from({ length: bases }, (_, base) =>
    Array.from({ length: ids }, (_one, id) => {
      const path = `/v1/accounts-${base}`;
      return [
        factsFor('GET', `${path}/${id}`),
        factsFor('POST', `${path}/${id}/refunds`, 50),
        factsFor('GET', `/v1/reports/${id}/b`),
        factsFor('DELETE', path),
      ];
    }),
  );
  return Array.from({ length: 16_384 }, (_, i) => {
    const connection = (Math.imul(i + 1, 2_654_435_761) >>> 8) % spread;
    return { name: names[connection]!, facts: pool[connection % 97]![i % ids]![i % 4]! };
  });
}

const decideAll = (policies: ReadonlyMap<string, CompiledPolicy>, calls: readonly { name: string; facts: Facts }[]) => (index: number) => {
  const call = calls[index & 16_383]!;
  return decide(policies.get(call.name) ?? null, call.facts);
};

const sameCalls = callsOver(many.names, 10);
const spreadCalls = callsOver(many.names, 10_000);
const fewCalls = callsOver(few.names, 10);
await bench.compare({
  case: '10,000 connections over 10, same traffic',
  unit: 'ns',
  goal: 1.2,
  lowerIsBetter: true,
  candidate: () => timeCalls(decideAll(many.policies, sameCalls)),
  baseline: () => timeCalls(decideAll(few.policies, fewCalls)),
});
// Beyond the goal: each call goes to another connection than the one before, so that hardly any policy is in the cache.
await bench.compare({
  case: '10,000 connections over 10, calls to all of them',
  unit: 'ns',
  lowerIsBetter: true,
  candidate: () => timeCalls(decideAll(many.policies, spreadCalls)),
  baseline: () => timeCalls(decideAll(few.policies, fewCalls)),
});

/** `count` rules on different resources, a third of them with a condition; one call that is allowed and one that is not. */
function manyRules(count: number): CompiledPolicy {
  const rules = Array.from({ length: count }, (_, i): Rule => {
    const match = { methods: [i % 2 === 0 ? 'GET' : 'POST'], paths: [`/v1/resource-${i}/:id`, `/v1/resource-${i}`] };
    return {
      name: `rule ${i}`,
      effect: i % 10 === 9 ? 'deny' : 'allow',
      match,
      ...(i % 3 === 0 ? { when: 'identity.claims.ref == "refs/heads/main"' } : {}),
    };
  });
  return compilePolicy({ id: 'rules', revision: 1, rules });
}

const microseconds = (call: () => unknown): number => median([1, 2, 3, 4, 5].map(() => timeCalls(call, { forMs: 80 }).value)) / 1000;

for (const count of [1, 100, 1000]) {
  const policy = manyRules(count);
  const allowed = factsFor('GET', `/v1/resource-${Math.floor((count - 1) / 2) * 2 - (count > 1 ? 2 : 0)}/7`);
  const denied = factsFor('PUT', '/v1/unknown/7');
  bench.report({
    case: `${count} rules, allowed (${decide(policy, allowed).effect})`,
    unit: 'us',
    value: microseconds(() => decide(policy, allowed)),
  });
  bench.report({ case: `${count} rules, no rule matches`, unit: 'us', value: microseconds(() => decide(policy, denied)) });
}

/** All rules cover the call: the most that a policy can cost without bodies. */
const everywhere = Array.from({ length: 1000 }, (_, i): Rule => ({
  name: `rule ${i}`,
  effect: 'allow',
  when: `identity.labels.team == "team-${i}"`,
}));
const unindexed = compilePolicy({ id: 'all', revision: 1, rules: everywhere });
const somewhere = factsFor('GET', '/v1/anything');
bench.report({ case: '1000 rules that all cover the call', unit: 'us', value: microseconds(() => decide(unindexed, somewhere)) });
const compileStart = performance.now();
manyRules(1000);
bench.report({ case: 'compiling a policy of 1000 rules', unit: 'ms', value: performance.now() - compileStart });
