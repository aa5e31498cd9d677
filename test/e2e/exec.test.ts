/** `hoop exec` and `hoop agent`: programs that know nothing of Hoop, with variables alone. */
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { hoop, hoopStart, run, type HoopProcess } from './hoop.ts';

let scratch: string;
let folder: string;
let running: HoopProcess;
let controlPlane: string;
let payments: string;
let adminToken: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-e2e-exec-'));
  folder = path.join(scratch, 'data');
  running = hoopStart(folder);
  await running.heard(/Ready\./);
  controlPlane = (await running.heard(/Control plane\s+(\S+)/))[1]!;
  payments = (await running.heard(/nightly-billing may use (\S+)/))[1]!;
  adminToken = (await running.heard(/hoop_admin_[\w-]+/))[0];
});
afterAll(async () => {
  running.child.kill('SIGTERM');
  await running.ended;
  await rm(scratch, { recursive: true, force: true });
});

const exec = (options: readonly string[], program: readonly string[], env: Record<string, string> = {}): HoopProcess =>
  hoop(['exec', '--data-dir', folder, '--as', 'nightly-billing', ...options, '--', ...program], env, 'pipe');

/** A program in Node, as its users write it. */
const node = (code: string): string[] => [process.execPath, '--input-type=module', '-e', code];

const printed = async (process: HoopProcess): Promise<string> => {
  expect([await process.ended, process.stderr()]).toEqual([0, '']);
  return process.stdout().trim();
};

describe('hoop exec', () => {
  test('sends what a program calls through Hoop: http and https, allowed, denied and unknown', async () => {
    const code = `
      const tell = async (r) => [r.status, r.headers.get('hoop-error'), (await r.text()).slice(0, 4000)];
      const customers = await tell(await fetch('${payments}/v1/customers'));
      const denied = await tell(await fetch('${payments}/v1/customers/cus_1', { method: 'DELETE' }));
      const unknown = await tell(await fetch('https://unknown.example/x'));
      console.log(JSON.stringify({ customers, denied, unknown }));`;
    const { customers, denied, unknown } = JSON.parse(await printed(exec(['--no-proxy='], node(code)))) as Record<
      string,
      [number, string, string]
    >;
    expect(customers![0]).toBe(200);
    expect(customers![2]).toContain('Ada Example');
    expect(customers![2]).not.toContain('ada@customers.example');
    expect(denied!.slice(0, 2)).toEqual([403, 'policy_denied']);
    expect(unknown!.slice(0, 2)).toEqual([403, 'destination_unknown']);
    expect(unknown![2]).toContain('https://unknown.example');
  });

  test('gives a program its arguments, standard input, exit code and nothing else', async () => {
    const code = "process.stdin.pipe(process.stdout); process.stdin.on('end', () => process.exit(Number(process.argv[1])))";
    const one = exec([], [...node(code), '7', '--url', 'x']);
    one.child.stdin!.end('as it was');
    expect(await one.ended).toBe(7);
    expect(one.stdout()).toBe('as it was');
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)('passes %s on, and waits for the program', async (signal) => {
    const code = `process.on('${signal}', () => { console.log('got it'); process.exit(3); }); console.log('up'); setInterval(() => {}, 1000);`;
    const one = exec([], node(code));
    await one.heard(/up/);
    one.child.kill(signal);
    expect([await one.ended, one.stdout().includes('got it')]).toEqual([3, true]);
  });

  test('says as shells do by which signal a program ended, and that one could not be started', async () => {
    expect(await exec([], node("process.kill(process.pid, 'SIGKILL')")).ended).toBe(137);
    const missing = exec([], ['no-such-program-of-anybody']);
    expect(await missing.ended).toBe(1);
    expect(missing.stderr()).toContain('no-such-program-of-anybody could not be started');
  });

  test('gives many clients what they look for, and takes the files away again', async () => {
    const env = JSON.parse(await printed(exec([], node('console.log(JSON.stringify(process.env))')))) as Record<string, string>;
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'])
      expect(env[name], name).toMatch(/^http:\/\/hoop:[\w-]{32}@127\.0\.0\.1:[0-9]+$/);
    for (const name of ['NO_PROXY', 'no_proxy']) expect(env[name]!.split(','), name).toContain('127.0.0.1');
    const files = [
      'NODE_EXTRA_CA_CERTS',
      'SSL_CERT_FILE',
      'REQUESTS_CA_BUNDLE',
      'CURL_CA_BUNDLE',
      'GIT_SSL_CAINFO',
      'AWS_CA_BUNDLE',
      'PIP_CERT',
      'DENO_CERT',
      'CARGO_HTTP_CAINFO',
      'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
    ];
    for (const name of files) await expect(readFile(env[name]!), name).rejects.toThrow('ENOENT');
    expect(env['NODE_USE_ENV_PROXY']).toBe('1');
    expect(env['JAVA_TOOL_OPTIONS']).toMatch(/-Dhttps\.proxyPort=[0-9]+ .*-Djavax\.net\.ssl\.trustStore=/);
  });

  test('leaves what is on loopback alone unless it is said otherwise', async () => {
    const code = `const r = await fetch('${payments}/v1/customers'); console.log(r.status, r.headers.get('hoop-call'));`;
    expect(await printed(exec([], node(code)))).toBe('401 null');
  });

  test('serves its own program alone', async () => {
    const code = "console.log(process.env.HTTP_PROXY); process.stdin.resume(); process.stdin.on('end', () => process.exit(0));";
    const one = exec([], node(code));
    const [, password, port] = await one.heard(/http:\/\/hoop:([\w-]+)@127\.0\.0\.1:([0-9]+)/);
    const ask = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        http
          .get(
            { host: '127.0.0.1', port, path: `${payments}/v1/customers`, headers: { host: new URL(payments).host, ...headers } },
            (res) => resolve(res.resume().statusCode!),
          )
          .on('error', reject);
      });
    const basic = (text: string): Record<string, string> => ({ 'proxy-authorization': `Basic ${Buffer.from(text).toString('base64')}` });
    expect(await ask({})).toBe(407);
    expect(await ask(basic('hoop:guessed'))).toBe(407);
    expect(await ask(basic(`hoop:${password}`))).toBe(200);
    one.child.stdin!.end();
    await one.ended;
  });

  test.skipIf(process.platform !== 'linux')(
    'with --trust-loopback serves the processes under it without a password, and no other',
    async () => {
      const code = `
      import http from 'node:http';
      const { port } = new URL(process.env.HTTP_PROXY);
      http.get({ host: '127.0.0.1', port, path: '${payments}/v1/customers', headers: { host: '${new URL(payments).host}' } }, (res) => { console.log('inside', res.statusCode, port); res.resume(); });
      process.stdin.resume(); process.stdin.on('end', () => process.exit(0));`;
      // A grandchild is under it, too.
      const one = exec(['--trust-loopback'], ['sh', '-c', '"$@"; true', 'sh', ...node(code)]);
      const [, status, port] = await one.heard(/inside ([0-9]+) ([0-9]+)/);
      expect(status).toBe('200');
      const outside = await new Promise<number>((resolve, reject) => {
        http
          .get({ host: '127.0.0.1', port, path: `${payments}/v1/customers`, headers: { host: new URL(payments).host } }, (res) =>
            resolve(res.resume().statusCode!),
          )
          .on('error', reject);
      });
      expect(outside).toBe(407);
      one.child.stdin!.end();
      await one.ended;
    },
  );

  test('gets a new grant where the one that it holds was revoked', async () => {
    const code = `
      import { once } from 'node:events';
      const call = async () => { const r = await fetch('${payments}/v1/customers', { headers: { connection: 'close' } }); await r.text(); console.log('answer', r.status, r.headers.get('hoop-call'), r.headers.get('hoop-error')); };
      await call(); await once(process.stdin, 'data'); for (let i = 0; i < 4; i++) await call(); process.exit(0);`;
    const one = exec(['--no-proxy='], node(code));
    const [, , callId] = await one.heard(/answer (200) (call_\w+)/);
    const api = async (method: string, what: string): Promise<Response> =>
      fetch(controlPlane + what, { method, headers: { authorization: `Bearer ${adminToken}` } });
    await expect.poll(async () => (await api('GET', `/v1/calls/${callId}`)).status).toBe(200);
    const { grantId } = (await (await api('GET', `/v1/calls/${callId}`)).json()) as { grantId: string };
    expect((await api('POST', `/v1/grants/${grantId}/revoke`)).status).toBe(204);
    one.child.stdin!.write('go\n');
    await one.ended;
    expect(
      one
        .stdout()
        .match(/answer [0-9]+/g)!
        .at(-1),
      one.stdout() + one.stderr(),
    ).toBe('answer 200');
  });

  test.each([
    [['--url', 'http://127.0.0.1:1'], /^hoop: The control plane at http:\/\/127\.0\.0\.1:1 does not answer/],
    [['--url', 'ftp://x'], /^hoop: ftp:\/\/x is not an http or https URL\.$/m],
    [['--ca-file', '/nowhere'], /^hoop: The certificates \/nowhere cannot be read \(ENOENT\)\.$/m],
    [['--proxy-url', 'nonsense'], /^hoop: nonsense is not the URL of a proxy/],
  ])('says what is wrong with %j before anything is started', async (options, sentence) => {
    const one = exec(options, node('console.log("started")'));
    expect(await one.ended).toBe(1);
    expect(one.stderr()).toMatch(sentence);
    expect(one.stdout()).toBe('');
  });

  test('tunnels to hosts that no connection is for, where the identity may, and the record counts the bytes', async () => {
    const echo = net.createServer((socket) => void socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const host = `127.0.0.1:${(echo.address() as net.AddressInfo).port}`;
    const api = async (method: string, what: string, body?: object): Promise<Response> =>
      fetch(controlPlane + what, {
        method,
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json', 'if-match': '*' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const code = `
      import net from 'node:net';
      const { hostname, port, username, password } = new URL(process.env.HTTPS_PROXY);
      const socket = net.connect(Number(port), hostname);
      const auth = Buffer.from(username + ':' + password).toString('base64');
      socket.write('CONNECT ${host} HTTP/1.1\\r\\nhost: ${host}\\r\\nproxy-authorization: Basic ' + auth + '\\r\\n\\r\\nping');
      let got = '';
      socket.on('data', (chunk) => { got += chunk; if (got.endsWith('ping') || got.includes('"code"')) { console.log(got.split(' ')[1]); socket.end(); } });`;
    expect(await printed(exec(['--no-proxy='], node(code)))).toBe('200');
    const unmanaged = { mode: 'tunnel', hosts: [host], allowedCidrs: ['127.0.0.0/8'] };
    const changed = await api('PATCH', '/v1/identities/nightly-billing', { unmanaged });
    expect(await changed.json()).toMatchObject({ unmanaged });
    const isRecorded = async (): Promise<unknown> => {
      expect(await printed(exec(['--no-proxy='], node(code)))).toBe('200');
      const { items } = (await (await api('GET', '/v1/calls?limit=5')).json()) as {
        items: { id: string; method: string; state: string }[];
      };
      const tunnel = items.find(({ method, state }) => method === 'CONNECT' && state === 'completed');
      return tunnel && (await (await api('GET', `/v1/calls/${tunnel.id}`)).json());
    };
    await expect.poll(isRecorded).toMatchObject({
      url: `tcp://${host}`,
      identity: { name: 'nightly-billing' },
      connection: null,
      targetAddress: '127.0.0.1',
      requestBody: { bytes: 4 },
      responseBody: { bytes: 4 },
    });
    // A merge patch that denies says nothing of the hosts.
    expect(await (await api('PATCH', '/v1/identities/nightly-billing', { unmanaged: { mode: 'deny' } })).json()).toMatchObject({
      unmanaged: { mode: 'deny' },
    });
    for (const wrong of [
      { hosts: ['https://x'] },
      { hosts: ['X.example'] },
      { hosts: ['a.*'] },
      { hosts: ['*'], allowedCidrs: ['nonsense'] },
    ])
      expect((await api('PATCH', '/v1/identities/nightly-billing', { unmanaged: { mode: 'tunnel', ...wrong } })).status).toBe(400);
    echo.close();
  });

  test('needs no data folder where HOOP_URL and a token are given', async () => {
    const token = JSON.parse(await printed(exec([], node('console.log(JSON.stringify(process.env.HOOP_TOKEN))')))) as string;
    const code = `const r = await fetch('${payments}/v1/customers'); console.log(r.status);`;
    const env = { HOOP_URL: controlPlane, HOOP_TOKEN: token };
    expect(await printed(hoop(['exec', '--data-dir', path.join(scratch, 'none'), '--no-proxy=', '--', ...node(code)], env))).toBe('200');
    expect(await printed(hoop(['token'], env))).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const nobody = hoop(['token'], { HOOP_URL: controlPlane, HOOP_TOKEN: 'x' });
    expect(await nobody.ended).toBe(1);
    expect(nobody.stderr()).toContain('The token is not a signed JWT');
  });
});

describe('hoop agent', () => {
  test('is the same as a process of its own: healthy, behind its password, and drained when it is told to stop', async () => {
    const token = JSON.parse(await printed(exec([], node('console.log(JSON.stringify(process.env.HOOP_TOKEN))')))) as string;
    const passwordFile = path.join(scratch, 'password');
    await writeFile(passwordFile, 'of-the-host\n');
    const trust = path.join(scratch, 'trust');
    const agent = hoop(['agent', '--port', '0', '--password-file', passwordFile, '--trust-dir', trust], {
      HOOP_URL: controlPlane,
      HOOP_TOKEN: token,
    });
    const [, url] = await agent.heard(/Listening on (http:\/\/127\.0\.0\.1:[0-9]+)/);
    expect(await (await fetch(`${url}/-/healthz`)).text()).toBe('ok');
    expect(await (await fetch(`${url}/-/readyz`)).text()).toBe('ready');
    await agent.heard(/NODE_EXTRA_CA_CERTS=/);
    expect(await readFile(path.join(trust, 'ca.pem'), 'utf8')).toContain('BEGIN CERTIFICATE');

    const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url!.replace('//', '//hoop:of-the-host@'), NO_PROXY: '' };
    const code = `const r = await fetch('${payments}/v1/customers'); console.log(r.status, r.headers.get('hoop-error'));`;
    const { spawnSync } = await import('node:child_process');
    const result = spawnSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' });
    expect(result.stdout.trim()).toBe('200 null');
    agent.child.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
  });

  test('says who may use it, or does not start', async () => {
    const agent = hoop(['agent', '--port', '0'], { HOOP_URL: controlPlane });
    expect(await agent.ended).toBe(1);
    expect(agent.stderr()).toContain('Say who may use the proxy');
  });
});

describe('the package @hoop/cli', () => {
  test('installs from its tarball without a dependency, and runs a program through a Hoop somewhere else', async () => {
    const packed = path.join(scratch, 'package');
    const built = run(process.execPath, ['--conditions=@hoop/source', 'apps/cli/scripts/package.ts', packed]);
    expect(await built.ended, built.stderr()).toBe(0);
    const offline = {
      npm_config_offline: 'true',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_cache: path.join(scratch, 'npm'),
    };
    const tarball = run('npm', ['pack', packed, '--pack-destination', scratch, '--silent'], offline);
    expect(await tarball.ended, tarball.stderr()).toBe(0);
    const where = path.join(scratch, 'host');
    const file = path.join(scratch, tarball.stdout().trim());
    const installed = run('npm', ['install', '--prefix', where, '--silent', file], offline);
    expect(await installed.ended, installed.stderr()).toBe(0);
    expect(await readdir(path.join(where, 'node_modules'))).toEqual(expect.arrayContaining(['@hoop', '.bin']));

    const token = JSON.parse(await printed(exec([], node('console.log(JSON.stringify(process.env.HOOP_TOKEN))')))) as string;
    const env = { HOOP_URL: controlPlane, HOOP_TOKEN: token };
    const bin = path.join(where, 'node_modules/.bin/hoop');
    const code = `const r = await fetch('${payments}/v1/customers'); console.log(r.status, r.headers.get('hoop-error'));`;
    expect(await printed(run(process.execPath, [bin, 'exec', '--no-proxy=', '--', ...node(code)], env))).toBe('200 null');
    expect(await printed(run(process.execPath, [bin, 'ca'], env))).toContain('BEGIN CERTIFICATE');
    expect(await printed(run(process.execPath, [bin, 'token'], env))).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(await printed(run(process.execPath, [bin, 'calls', '--help'], env))).toContain('hoop calls');
    const admin = { HOOP_URL: controlPlane, HOOP_ADMIN_TOKEN: adminToken };
    // None waits any more; the answer is that of the API all the same.
    expect(await printed(run(process.execPath, [bin, 'approvals', 'list', '--json'], admin))).toBe('');
    for (const command of ['start', 'keys']) {
      const missing = run(process.execPath, [bin, command], env);
      expect(await missing.ended).toBe(1);
      expect(missing.stderr()).toBe(`hoop: There is no command "${command}". See hoop help.\n`);
    }
  });
});

describe('hoop ca', () => {
  test('prints the certificates, and writes what clients want', async () => {
    const fromFolder = await printed(hoop(['ca', '--data-dir', folder]));
    const fromProxy = await printed(hoop(['ca', '--url', controlPlane]));
    expect(fromFolder).toContain('BEGIN CERTIFICATE');
    expect(fromProxy).toBe(fromFolder);
    const dir = path.join(scratch, 'written');
    const files = (await printed(hoop(['ca', '--data-dir', folder, '--dir', dir]))).split('\n');
    expect(files).toEqual(['ca.pem', 'ca-bundle.pem', 'trust-store.p12'].map((name) => path.join(dir, name)));
    expect((await readFile(files[1]!, 'utf8')).match(/BEGIN/g)!.length).toBeGreaterThan(10);
  });
});
