import { describe, expect, test } from 'vitest';

import { createProgram } from './command-line.ts';
import { StartError } from './start-error.ts';
import { addStart } from './start-command.ts';
import type { StartOptions } from './start/options.ts';

function parseStartOptions(args: readonly string[]): StartOptions | undefined {
  let options: StartOptions | undefined;
  const program = createProgram(() => undefined);
  addStart(program, (given) => void (options = given));
  program.parse(['start', ...args], { from: 'user' });
  return options;
}

describe("start's command line", () => {
  test('has a default for everything', () => {
    expect(parseStartOptions([])).toEqual({
      dataDir: '.hoop',
      host: '127.0.0.1',
      port: 7700,
      relayPort: 7710,
      proxyPort: 7711,
      postgresPort: 7720,
      workers: 1,
      demo: true,
      once: false,
      json: false,
    });
  });

  test('takes every flag', () => {
    const args =
      '--data-dir d --host ::1 --port 1 --relay-port 2 --proxy-port 3 --postgres-port 0 --workers 4 --no-demo --once --json'.split(' ');
    expect(parseStartOptions(args)).toEqual({
      dataDir: 'd',
      host: '::1',
      port: 1,
      relayPort: 2,
      proxyPort: 3,
      postgresPort: 0,
      workers: 4,
      demo: false,
      once: true,
      json: true,
    });
  });

  for (const [args, sentence] of [
    [['--port', '65536'], '--port must be a whole number from 0 to 65535.'],
    [['--port', '1e3'], '--port must be a whole number from 0 to 65535.'],
    [['--port', '7710'], '--port, --relay-port, --proxy-port and --postgres-port must differ.'],
    [['--workers', '0'], '--workers must be a whole number from 1 to 64.'],
    [['--data-dir', ''], '--data-dir needs the name of a folder.'],
    [['--colour'], "Unknown option '--colour'. See hoop help start."],
    [['now'], "Unexpected argument 'now'. See hoop help start."],
  ] as const) {
    test(`refuses ${args.join(' ')} in one sentence`, () => {
      let failure: unknown;
      try {
        parseStartOptions(args);
      } catch (error) {
        failure = error;
      }
      expect(failure).toBeInstanceOf(StartError);
      expect((failure as Error).message).toContain(sentence);
      expect((failure as Error).message).not.toContain('\n');
    });
  }
});
