/** The `hoop` command: finds the subcommand, turns signals into a stop, and prints one sentence when something is wrong. */
import process from 'node:process';

const neededMajor = 24;

function fail(sentence: string): never {
  process.stderr.write(`hoop: ${sentence}\n`);
  process.exit(1);
}

if (Number(process.versions.node.split('.')[0]) < neededMajor) {
  fail(
    `Hoop needs Node ${neededMajor} or newer, and this is ${process.versions.node}: run it with "npm start" or "npm run hoop", which bring their own.`,
  );
}

// Only now: older versions cannot load what follows.
const { runCommand } = await import('./command.ts');
const { ownEnvironment, spareLoopbackFromProxies } = await import('./environment.ts');

spareLoopbackFromProxies();

const stop = new AbortController();
const kill = new AbortController();
const interrupt = (): void => (stop.signal.aborted ? kill : stop).abort();
process.on('SIGINT', interrupt);
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
// Started by `npm start`: when that is gone, so are we.
process.once('disconnect', () => stop.abort());
process.channel?.unref();

// `hoop … | head`: who reads no more has seen enough. What runs stops in good order.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (stream === process.stdout) stop.abort();
  });
}

/** Typed at the terminal; empty where the person leaves. */
async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question, { signal: stop.signal });
  } catch {
    return '';
  } finally {
    terminal.close();
  }
}

try {
  process.exitCode = await runCommand(process.argv.slice(2), {
    env: ownEnvironment(),
    out: (text) => void process.stdout.write(`${text}\n`),
    say: (sentence) => void process.stderr.write(`hoop: ${sentence}\n`),
    ...(process.stdin.isTTY ? { ask } : {}),
    stop: stop.signal,
    kill: kill.signal,
  });
} catch (error) {
  if ((error as Error).name !== 'StartError') throw error;
  process.stderr.write(`hoop: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
