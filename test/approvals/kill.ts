/** `node --conditions=@hoop/source test/approvals/kill.ts [--calls N] [--kills N] [--queue postgres|redis] [--seed S]`: exit code 0 where every promise held. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import { runApprovalKills } from './kill-run.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '200' },
    kills: { type: 'string', default: '20' },
    queue: { type: 'string', default: 'postgres' },
    seed: { type: 'string' },
  },
});
const { queue } = values;
if (queue !== 'postgres' && queue !== 'redis') throw new Error('--queue must be postgres or redis.');
const [calls, kills, seed] = [
  Number(values.calls),
  Number(values.kills),
  values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed),
];
if (![calls, kills, seed].every(Number.isSafeInteger)) throw new Error('--calls, --kills and --seed must be whole numbers.');

console.log(`seed ${seed}: repeat with --seed ${seed} --calls ${calls} --kills ${kills} --queue ${queue}`);
const from = performance.now();
const { breaches, ...result } = await runApprovalKills({ queue, calls, kills, seed, say: (sentence) => console.log(sentence) });
console.log(JSON.stringify({ ...result, seconds: Math.round((performance.now() - from) / 1000) }));
for (const breach of breaches) console.error(breach);
console.log(breaches.length === 0 ? 'Every promise held.' : `${breaches.length} promises did NOT hold (seed ${seed}).`);
process.exitCode = breaches.length === 0 ? 0 : 1;
