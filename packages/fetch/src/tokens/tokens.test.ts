import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

import { closeServers, answerJson, serve } from '../../test/servers.ts';
import {
  detectToken,
  HoopTokenError,
  tokenFromEnvironment,
  tokenFromFile,
  tokenFromGitHubActions,
  tokenFromKubernetes,
  type TokenSource,
} from '../index.ts';

const ask = async (source: TokenSource): Promise<string> =>
  source({ audience: 'https://hoop.example', signal: AbortSignal.timeout(5_000), fetch: globalThis.fetch });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-fetch-'));
});
afterAll(async () => {
  await closeServers();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  for (const name of ['HOOP_TOKEN', 'HOOP_TOKEN_FILE', 'ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'GITHUB_ACTIONS'])
    vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

describe('tokenFromEnvironment', () => {
  test('reads the variable each time, without white space', async () => {
    vi.stubEnv('MY_TOKEN', ' first\n');
    const source = tokenFromEnvironment('MY_TOKEN');
    expect(await ask(source)).toBe('first');
    vi.stubEnv('MY_TOKEN', 'second');
    expect(await ask(source)).toBe('second');
  });

  test.each([
    ['not set', undefined],
    ['empty', ' '],
  ])('says that the variable is %s', async (state, value) => {
    vi.stubEnv('HOOP_TOKEN', value);
    await expect(async () => ask(tokenFromEnvironment())).rejects.toThrow(
      `The environment variable HOOP_TOKEN should hold the identity token, but is ${state}.`,
    );
  });
});

describe('tokenFromFile', () => {
  test('reads the file anew each time', async () => {
    const file = path.join(folder, 'rotated');
    const source = tokenFromFile(file);
    await writeFile(file, 'first\n');
    expect(await ask(source)).toBe('first');
    await writeFile(file, 'second\n');
    expect(await ask(source)).toBe('second');
  });

  test('says that the file is missing, empty or not readable', async () => {
    const empty = path.join(folder, 'empty');
    await writeFile(empty, '\n');
    await expect(ask(tokenFromFile(path.join(folder, 'none')))).rejects.toThrow(/There is no token file .*none\./);
    await expect(ask(tokenFromFile(empty))).rejects.toThrow(/is empty/);
    const error: HoopTokenError = await ask(tokenFromFile(folder)).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(HoopTokenError);
    expect(error.message).toMatch(/cannot be read: EISDIR/);
    expect(error.cause).toMatchObject({ code: 'EISDIR' });
  });
});

describe('tokenFromKubernetes', () => {
  test('reads a projected token, and not the one that opens the cluster', async () => {
    const file = path.join(folder, 'projected');
    await writeFile(file, 'projected-token');
    expect(await ask(tokenFromKubernetes(file))).toBe('projected-token');
    await expect(ask(tokenFromKubernetes())).rejects.toThrow('There is no token file /var/run/secrets/hoop/token.');
  });
});

describe('tokenFromGitHubActions', () => {
  async function startGitHub(status: number, answer: unknown): Promise<URL[]> {
    const asked: URL[] = [];
    const origin = await serve((request, response) => {
      asked.push(new URL(request.url ?? '', 'http://github'));
      if (request.headers.authorization !== 'Bearer request-token') return answerJson(response, 401, {});
      if (status === 302) return void response.writeHead(302, { location: '/elsewhere' }).end();
      answerJson(response, status, answer);
    });
    vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_URL', `${origin}/token?api-version=2.0`);
    vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'request-token');
    return asked;
  }

  test('asks for a token with the audience', async () => {
    const asked = await startGitHub(200, { value: 'github-token' });
    expect(await ask(tokenFromGitHubActions())).toBe('github-token');
    expect(asked.map((url) => [url.pathname, url.searchParams.get('api-version'), url.searchParams.get('audience')])).toEqual([
      ['/token', '2.0', 'https://hoop.example'],
    ]);
  });

  test('names the permission where the job has none', async () => {
    await expect(ask(tokenFromGitHubActions())).rejects.toThrow('`permissions: id-token: write`');
  });

  test.each([
    ['an error', 500, {}, /it answered 500/],
    ['a redirect, which it does not follow', 302, {}, /it answered 302/],
    ['no value', 200, { count: 1 }, /its answer has no value/],
    ['null', 200, null, /its answer has no value/],
  ])('says that the endpoint gave %s', async (_case, status, answer, message) => {
    const asked = await startGitHub(status, answer);
    await expect(ask(tokenFromGitHubActions())).rejects.toThrow(message);
    expect(asked).toHaveLength(1);
  });

  test('never shows the request token', async () => {
    await startGitHub(500, {});
    const error: Error = await ask(tokenFromGitHubActions()).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(`${error.message} ${String(error.cause)} ${error.stack}`).not.toContain('request-token');
  });
});

describe('detectToken', () => {
  test('prefers HOOP_TOKEN to HOOP_TOKEN_FILE to GitHub Actions', async () => {
    const file = path.join(folder, 'detected');
    await writeFile(file, 'from-file');
    const origin = await serve((_request, response) => answerJson(response, 200, { value: 'from-github' }));
    vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_URL', origin);
    vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'request-token');
    expect(await ask(detectToken())).toBe('from-github');
    vi.stubEnv('HOOP_TOKEN_FILE', file);
    expect(await ask(detectToken())).toBe('from-file');
    vi.stubEnv('HOOP_TOKEN', 'from-environment');
    expect(await ask(detectToken())).toBe('from-environment');
  });

  test('is not somebody else because what was set does not work', async () => {
    vi.stubEnv('HOOP_TOKEN_FILE', path.join(folder, 'none'));
    vi.stubEnv('HOOP_TOKEN', '');
    await expect(ask(detectToken())).rejects.toThrow(/HOOP_TOKEN .* is empty/);
    vi.stubEnv('HOOP_TOKEN', undefined);
    vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_URL', 'http://127.0.0.1/');
    await expect(ask(detectToken())).rejects.toThrow(/There is no token file/);
  });

  test('says what it tried', async () => {
    await expect(ask(detectToken())).rejects.toThrow(
      [
        'No identity token was found. Tried:',
        '- the `token` option: not given',
        '- HOOP_TOKEN: not set',
        '- HOOP_TOKEN_FILE: not set',
        '- GitHub Actions: not running there (ACTIONS_ID_TOKEN_REQUEST_URL is not set)',
        '- Kubernetes: no file /var/run/secrets/hoop/token',
        'Set one of them, or give createFetch a `token` function.',
      ].join('\n'),
    );
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    await expect(ask(detectToken())).rejects.toThrow('- GitHub Actions: this job lacks `permissions: id-token: write`');
  });
});
