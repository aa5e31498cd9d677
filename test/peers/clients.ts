/** Tests Hoop's promises to every client library: it works, it shows why it was denied, it sends nothing twice. */
import type { RequestListener } from 'node:http';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { closeServers, readBody, serve } from '../../packages/fetch/test/servers.ts';
import { allowAll, type PeerHoop, reason, startPeerHoop } from './peer-hoop.ts';

/** How a client comes to Hoop: with the SDK's fetch at the target's own URL, or with a grant at the relay's. */
export interface Way {
  /** The URL that the client takes for the target's, without a trailing slash. */
  readonly base: string;
  /** The SDK's, or the platform's. */
  readonly fetch: typeof globalThis.fetch;
  /** The key that the client sends: a grant, or a placeholder that Hoop replaces. */
  readonly key: string;
  /** For clients whose key goes elsewhere than into `Authorization: Bearer`. Empty with the SDK. */
  readonly headers: Record<string, string>;
}

export interface Client {
  readonly name: string;
  /** @default both */
  readonly ways?: readonly ('fetch' | 'base URL')[];
  /** Makes one call, with the retries that the library has by default. */
  call(way: Way): Promise<unknown>;
  /** The result of a successful call. */
  readonly answer: unknown;
  /** The text that the client's user can read in an error. @default the messages of the error and its causes */
  shown?(error: unknown): string | Promise<string>;
}

const outcomes = ['allowed', 'denied', 'withheld'] as const;
type Outcome = (typeof outcomes)[number];

/** Where the suite's calls arrive. */
export interface Scene {
  readonly arrivals: Record<Outcome, string[]>;
  way(kind: 'fetch' | 'base URL', outcome: Outcome): Promise<Way>;
}

/** Starts a Hoop in front of `vendor`, which answers in its clients' shape. */
export function peerScene(vendor: RequestListener): Scene {
  let hoop: PeerHoop;
  const origins = {} as Record<Outcome, string>;
  const arrivals: Scene['arrivals'] = { allowed: [], denied: [], withheld: [] };

  beforeAll(async () => {
    hoop = await startPeerHoop();
    for (const outcome of outcomes) {
      origins[outcome] = await serve(async (request, response) => {
        arrivals[outcome].push(`${request.method} ${request.url}`);
        expect(request.headers.authorization).toBe(`Bearer ${outcome}-secret`);
        if (outcome !== 'withheld') return vendor(request, response);
        await readBody(request);
        response.writeHead(200, { 'content-type': 'image/png' }).end('not to be masked');
      });
    }
    await hoop.connect('allowed', origins.allowed, allowAll);
    await hoop.connect('denied', origins.denied, [...allowAll, { name: 'by people', effect: 'deny', match: {}, reason }]);
    await hoop.connectMasked('withheld', origins.withheld, allowAll, [{ path: '$..email', action: 'redact' }]);
  });
  afterAll(async () => {
    await hoop?.close();
    await closeServers();
  });
  return {
    arrivals,
    async way(kind, outcome) {
      if (kind === 'fetch') return { base: origins[outcome], fetch: hoop.fetch, key: 'held-by-hoop', headers: {} };
      const key = await hoop.grant([outcome]);
      return { base: `${hoop.relayUrl}/${outcome}`, fetch: globalThis.fetch, key, headers: { 'hoop-grant': key } };
    },
  };
}

/** An error with all that its causes say. */
function messageOf(error: unknown): string {
  const messages: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) messages.push(at.message);
  return messages.join('\n');
}

export function testClients(scene: Scene, clients: readonly Client[]): void {
  const runs = clients.flatMap((client) => (client.ways ?? ['fetch', 'base URL']).map((kind) => ({ ...client, kind })));
  describe.each(runs)('$name by $kind', ({ kind, call, answer, shown = messageOf }) => {
    const rejected = async (outcome: Outcome): Promise<string> => {
      scene.arrivals[outcome].length = 0;
      return call(await scene.way(kind, outcome)).then(
        (value) => expect.unreachable(`resolved with ${JSON.stringify(value)}`),
        (error: unknown) => shown(error),
      );
    };

    test('gets its answer', async () => {
      scene.arrivals.allowed.length = 0;
      expect(await call(await scene.way(kind, 'allowed'))).toEqual(answer);
      expect(scene.arrivals.allowed).toHaveLength(1);
    });

    test('shows why it was denied, and reached nothing', async () => {
      expect(await rejected('denied')).toContain(reason);
      expect(scene.arrivals.denied).toEqual([]);
    });

    test('sends nothing again where the answer is withheld', async () => {
      expect(await rejected('withheld')).toMatch(/was sent/);
      expect(scene.arrivals.withheld).toHaveLength(1);
    });
  });
}
