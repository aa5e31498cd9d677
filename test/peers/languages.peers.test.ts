/** curl and the usual HTTP clients of Python, Go and Java, which know Hoop as a base URL and their grant as a bearer token. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { findPeer, findPython } from '@hoop/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { closeServers, readBody, serve } from '../../packages/fetch/test/servers.ts';
import { allowAll, type PeerHoop, reason, startPeerHoop } from './peer-hoop.ts';

const run = promisify(execFile);
const here = import.meta.dirname;

let hoop: PeerHoop;
let grant: string;
let folder: string;
let targetUrl: string;
let otherUrl: string;
/** The requests that arrived, in order: where, method, path and bytes of the body. */
let arrivals: string[] = [];
let grantsSeen: string[] = [];
let redirect: { status: number; location: string };

const megabytes = 8 * 1024 * 1024;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-languages-'));
  hoop = await startPeerHoop();
  const noteGrant = (headers: object): void => {
    if (JSON.stringify(headers).includes(grant)) grantsSeen.push(JSON.stringify(headers));
  };
  targetUrl = await serve(async (request, response) => {
    noteGrant(request.headers);
    if (request.url === '/v1/too-large') {
      arrivals.push(`target ${request.method} ${request.url}`);
      // As servers do: the answer, and no more of the body.
      response.writeHead(413, { connection: 'close' }).end('{"error":"too large for me"}');
      return;
    }
    const body = await readBody(request);
    arrivals.push(`target ${request.method} ${request.url} ${body.length}`);
    if (request.url === '/v1/moved') response.writeHead(redirect.status, { location: redirect.location }).end();
    else response.end(`the end of ${request.url}`);
  });
  otherUrl = await serve((request, response) => {
    noteGrant(request.headers);
    arrivals.push(`other ${request.method} ${request.url}`);
    response.end('the end');
  });
  await hoop.connect('payments', targetUrl, [...allowAll, { name: 'by people', effect: 'deny', match: { paths: ['/v1/denied'] }, reason }]);
  await hoop.connect('stripe', otherUrl, allowAll);
});
afterAll(async () => {
  await hoop?.close();
  await closeServers();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  arrivals = [];
  grantsSeen = [];
  // A new one each time: a grant lives for five minutes, and all tests together take longer on a slow machine.
  grant = await hoop.grant(['payments', 'stripe']);
});

interface Answer {
  readonly status: number;
  readonly body: string;
}
type Call = (method: string, url: string, uploadBytes?: number) => Promise<Answer>;

async function answerOf(program: string, args: readonly string[]): Promise<Answer> {
  const { stdout } = await run(program, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  const [status, ...lines] = stdout.split('\n');
  return { status: Number(status), body: lines.join('\n') };
}

const curl = findPeer('curl', 'apt-get install curl');
const go = findPeer('go', 'apt-get install golang-go');
const java = findPeer('javac', 'apt-get install default-jdk-headless') === null ? null : 'java';
const python = findPython(['requests', 'httpx']);

const goProgram = async (): Promise<string> => {
  const file = path.join(folder, 'client');
  await run(go!, ['build', '-o', file, './client'], {
    cwd: path.join(here, 'go'),
    env: { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off' },
  });
  return file;
};
let builtGo: Promise<string> | undefined;

const clients: { readonly name: string; readonly peer: string | null; readonly call: Call }[] = [
  {
    name: 'curl',
    peer: curl,
    async call(method, url, uploadBytes = 0) {
      const upload = uploadBytes > 0 ? ['--data-binary', '@-'] : [];
      const args = [
        '-sSL',
        '--oauth2-bearer',
        grant,
        '-w',
        '\n%{http_code}',
        ...(uploadBytes > 0 || method === 'GET' ? [] : ['-X', method]),
      ];
      const running = run(curl!, [...args, ...upload, url], { maxBuffer: 64 * 1024 * 1024 });
      running.child.stdin!.on('error', () => {});
      running.child.stdin!.end(Buffer.alloc(uploadBytes, 'x'));
      const lines = (await running).stdout.split('\n');
      return { status: Number(lines.pop()), body: lines.join('\n') };
    },
  },
  ...(['requests', 'httpx'] as const).map((library) => ({
    name: `Python's ${library}`,
    peer: python,
    call: ((method, url, uploadBytes = 0) =>
      answerOf(python!, [path.join(here, 'python/call.py'), library, method, url, grant, String(uploadBytes)])) satisfies Call,
  })),
  {
    name: "Go's net/http",
    peer: go,
    call: async (method, url, uploadBytes = 0) => answerOf(await (builtGo ??= goProgram()), [method, url, grant, String(uploadBytes)]),
  },
  {
    name: "Java's java.net.http",
    peer: java,
    call: (method, url, uploadBytes = 0) => answerOf(java!, [path.join(here, 'java/Call.java'), method, url, grant, String(uploadBytes)]),
  },
];

for (const { name, peer, call } of clients) {
  describe.skipIf(peer === null)(name, () => {
    const at = (url: string): string => `${hoop.relayUrl}/payments${url}`;
    /** The grant is for Hoop alone: no server behind Hoop ever sees it. */
    const noGrantWasSeen = (): void => expect(grantsSeen).toEqual([]);

    test('gets its answer', async () => {
      expect(await call('GET', at('/v1/customers?limit=2'))).toEqual({ status: 200, body: 'the end of /v1/customers?limit=2' });
      expect(arrivals).toEqual(['target GET /v1/customers?limit=2 0']);
      noGrantWasSeen();
    });

    test('can read why it was denied', async () => {
      const { status, body } = await call('GET', at('/v1/denied'));
      expect([status, JSON.parse(body)]).toEqual([
        403,
        expect.objectContaining({ code: 'policy_denied', detail: expect.stringContaining(reason) }),
      ]);
      expect(arrivals).toEqual([]);
    });

    test('uploads a body of some megabytes', async () => {
      expect((await call('POST', at('/v1/files'), megabytes)).status).toBe(200);
      expect(arrivals).toEqual([`target POST /v1/files ${megabytes}`]);
    });

    test('gets the answer of a target that refuses a body before it has come', async () => {
      expect(await call('POST', at('/v1/too-large'), megabytes)).toEqual({ status: 413, body: '{"error":"too large for me"}' });
      expect(arrivals).toEqual(['target POST /v1/too-large']);
    });

    test.each([
      ['a URL', () => `${targetUrl}/v1/customers`],
      ['a path', () => '/v1/customers'],
      ['a name', () => 'customers'],
    ])("follows a redirect of the connection's own target (%s) through Hoop", async (_form, location) => {
      redirect = { status: 302, location: location() };
      expect(await call('GET', at('/v1/moved'))).toEqual({ status: 200, body: 'the end of /v1/customers' });
      expect(arrivals).toEqual(['target GET /v1/moved 0', 'target GET /v1/customers 0']);
      noGrantWasSeen();
    });

    test('takes its grant to no other host', async () => {
      for (const location of [`${otherUrl}/x`, `//${new URL(otherUrl).host}/x`, `/\\${new URL(otherUrl).host}/x`]) {
        redirect = { status: 302, location };
        const { status, body } = await call('GET', at('/v1/moved'));
        expect([status, JSON.parse(body)]).toEqual([
          400,
          expect.objectContaining({ code: 'location_withheld', location: `${otherUrl}/x` }),
        ]);
      }
      expect(arrivals.filter((one) => one.startsWith('other'))).toEqual([]);
      noGrantWasSeen();
    });

    test('is led to no other connection of the relay', async () => {
      for (const location of [
        '/stripe/v1/refunds',
        '/payments/../stripe/v1/refunds',
        `${hoop.relayUrl}/stripe/v1/refunds`,
        '/%2e%2e/stripe/v1/refunds',
      ]) {
        redirect = { status: 307, location };
        await call('POST', at('/v1/moved'), 2);
      }
      expect(arrivals.filter((one) => one === 'target POST /v1/moved 2')).toHaveLength(4);
      expect(arrivals.filter((one) => one.startsWith('other'))).toEqual([]);
      noGrantWasSeen();
    });
  });
}
