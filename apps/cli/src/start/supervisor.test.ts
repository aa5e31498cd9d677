import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { claimPort, preferPort } from './ports.ts';
import { supervise, type ChildSpec, type SupervisedChild } from './supervisor.ts';

let scratch: string;
const children: SupervisedChild[] = [];

beforeEach(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-supervisor-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill();
  await rm(scratch, { recursive: true, force: true });
});

/** Sentences as they are said, and a wait for one. */
function listen(): { say: (sentence: string) => void; heard: (pattern: RegExp) => Promise<string> } {
  const said: string[] = [];
  let wake = (): void => {};
  return {
    say: (sentence) => {
      said.push(sentence);
      wake();
    },
    heard: async (pattern) => {
      for (;;) {
        const found = said.find((one) => pattern.test(one));
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

async function start(
  program: string,
  say: (sentence: string) => void = () => {},
  limits: Partial<Pick<ChildSpec, 'stopWithinMs' | 'stuckAfterMs' | 'tellEveryMs'>> = {},
): Promise<SupervisedChild> {
  const main = path.join(scratch, 'main.mjs');
  await writeFile(main, program);
  const child = await supervise(
    {
      name: 'thing',
      main,
      env: () => ({ GIVEN: 'yes' }),
      logFile: path.join(scratch, 'thing.log'),
      ...limits,
    },
    say,
  );
  children.push(child);
  return child;
}

const forever = 'setInterval(() => {}, 1000);';
const listening = "process.send({ event: 'listening', url: 'http://it' });";

describe('a supervised child', () => {
  test('is there once it says that it listens, with its own environment and nothing else of ours', async () => {
    process.env['HOOP_PLANTED_SECRET'] = 'planted';
    const child = await start(`console.log(JSON.stringify(process.env)); ${listening} ${forever}`);
    delete process.env['HOOP_PLANTED_SECRET'];
    expect(child.url).toBe('http://it');
    const log = await readFile(path.join(scratch, 'thing.log'), 'utf8');
    expect(log).toContain('"GIVEN":"yes"');
    expect(log).not.toContain('planted');
  });

  test('that ends as it starts is an error with its last words', async () => {
    await expect(start("throw new Error('the key is missing')")).rejects.toThrow(
      /^The thing ended as it started \(exit 1\) while it was loading its program: Error: the key is missing$/,
    );
    const pino = '{"level":60,"msg":"The thing cannot start: DATABASE_URL is not set."}';
    await expect(start(`console.log(${JSON.stringify(pino)}); process.exit(1)`)).rejects.toThrow(
      'The thing ended as it started (exit 1) while it was loading its program: The thing cannot start: DATABASE_URL is not set.',
    );
  });

  test('may take as long as it likes to start while it goes on, and the terminal is told where it is', async () => {
    const { say, heard } = listen();
    const steps = `for (let n = 1; n <= 6; n++) { process.send({ event: 'starting', step: 'on step ' + n }); await new Promise((go) => setTimeout(go, 300)); }`;
    const child = await start(`${steps} ${listening} ${forever}`, say, { tellEveryMs: 100 });
    expect(child.url).toBe('http://it');
    expect(await heard(/step 6/)).toMatch(/^Still starting the thing \(\d+ s\): on step 6\.$/);
  });

  test('that hangs as it starts is ended, and the step at which it hung is said with the reason', async () => {
    const program = `process.send({ event: 'starting', step: 'waiting for the moon' }); console.log('{"level":50,"msg":"no moon tonight"}'); console.log('a later line'); ${forever}`;
    await expect(start(program, () => {}, { stuckAfterMs: 1500 })).rejects.toThrow(
      /^The thing was stuck at (?:waiting for the moon and was ended after \d+ seconds: no moon tonight|loading its program .*)$/,
    );
  });

  test('that says why it fails is quoted, whatever it logs after that', async () => {
    const program = `process.send({ event: 'failed', message: 'The database is away.' }, () => { console.error('Error: at the end'); process.exit(1); });`;
    await expect(start(program)).rejects.toThrow(
      'The thing ended as it started (exit 1) while it was loading its program: The database is away.',
    );
  });

  test('is started again when it is killed', async () => {
    const { say, heard } = listen();
    const child = await start(`${listening} ${forever}`, say);
    const first = child.pid!;
    process.kill(first, 'SIGKILL');
    expect(await heard(/ended/)).toMatch(/^The thing ended \(SIGKILL\); it starts again in 0\.2 s/);
    await heard(/is back/);
    expect(child.pid).not.toBe(first);
  });

  test('may finish its work when it is stopped', async () => {
    const child = await start(
      `import { writeFileSync } from 'node:fs'; process.on('SIGTERM', () => { writeFileSync(${JSON.stringify(path.join(scratch, 'done'))}, 'done'); process.exit(0); }); ${listening} ${forever}`,
    );
    await child.stop();
    expect(await readFile(path.join(scratch, 'done'), 'utf8')).toBe('done');
  });

  test('is killed when it does not stop in time', async () => {
    const { say, heard } = listen();
    const child = await start(`process.on('SIGTERM', () => {}); ${listening} ${forever}`, say, { stopWithinMs: 100 });
    await child.stop();
    expect(await heard(/in time/)).toBe('The thing did not stop in time and is killed.');
  });
});

describe('a port', () => {
  test('that is taken is one clear sentence', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    await expect(claimPort(port, '127.0.0.1', '--relay-port')).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is already in use: stop what listens there, or choose another with --relay-port.`,
    );
    expect(await preferPort(port, '127.0.0.1')).not.toBe(port);
    holder.close();
  });

  test('on an address that is not ours is one clear sentence', async () => {
    await expect(claimPort(0, '192.0.2.1', '--port')).rejects.toThrow(
      'Port 0 on 192.0.2.1 cannot be used (EADDRNOTAVAIL): choose another with --port or --host.',
    );
  });
});
