/** `node --conditions=@hoop/source test/chaos/run.ts [--rounds N] [--queue postgres|redis] [--seed S]`: exit code 0 where every promise held. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import { runChaos } from './chaos.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, queue: { type: 'string', default: 'postgres' }, seed: { type: 'string' } },
});
if (values.queue !== 'postgres' && values.queue !== 'redis') throw new Error('--queue must be postgres or redis.');
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(rounds) || rounds < 1)
  throw new Error('--seed and --rounds must be whole numbers.');

console.log(`seed ${seed}: repeat with --seed ${seed} --rounds ${rounds} --queue ${values.queue}`);
const from = performance.now();
const { breaches, ...result } = await runChaos({ queue: values.queue, rounds, seed, say: (sentence) => console.log(sentence) });
console.log(JSON.stringify({ ...result, seconds: Math.round((performance.now() - from) / 1000) }));
for (const breach of breaches) console.error(breach);
console.log(breaches.length === 0 ? 'Every promise held.' : `${breaches.length} promises did NOT hold (seed ${seed}).`);
process.exitCode = breaches.length === 0 ? 0 : 1;
