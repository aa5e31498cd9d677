/** The broker as a process of its own: prints its URL, and ends when its standard input does. */
import { startPostgresBroker } from './postgres-broker.ts';

const broker = await startPostgresBroker();
process.stdout.write(`${broker.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.stdin.resume();
process.stdin.once('end', () => void broker.close().then(() => process.exit(0)));
