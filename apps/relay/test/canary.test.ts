/** The injected credential, the grant and the keys are looked for wherever they must not be. */
import type { ConnectionSnapshot, CredentialSourceSettings } from '@hoop/contract';
import { openBody, openDataKey } from '@hoop/sealing';
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { World } from './world.ts';

const canary = 'sk_canary_9f8e7d6c5b4a39281706';
const clientSecret = 'cs_canary_0123456789abcdefghij';
let world: World;
let target: TestTarget;
const answers: string[] = [];
const grants: string[] = [];

beforeAll(async () => {
  world = await World.start();
  target = await startTarget((req, res) => {
    if (req.url === '/token') {
      req.resume();
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ access_token: canary, token_type: 'Bearer', expires_in: 60 }));
      return;
    }
    // A target that gives back whatever it gets, in every form it can think of.
    const got = `${req.url} ${JSON.stringify(req.headers)}`;
    res.setHeader('x-echo', String(req.headers['authorization'] ?? req.url).slice(0, 500));
    res.setHeader('content-type', 'text/plain');
    if (req.url!.startsWith('/cut')) {
      res.write(got);
      setImmediate(() => res.destroy());
      return;
    }
    const encoded = Buffer.from(got);
    res.end(`${got}\n${encoded.toString('base64')}\n${encoded.toString('hex')}\n${encodeURIComponent(got)}`);
  });
});
afterAll(async () => {
  await target?.close();
  await world?.close();
});

const injections: [what: string, settings: CredentialSourceSettings][] = [
  ['a header', { type: 'static', injection: { into: 'header', name: 'authorization', template: 'Bearer {secret}' } }],
  ['a query parameter', { type: 'static', injection: { into: 'query', name: 'key', template: '{secret}' } }],
  ['basic authentication', { type: 'static', injection: { into: 'basic', username: 'hoop' } }],
];

async function exercise(connection: ConnectionSnapshot): Promise<void> {
  for (const path of ['/echo', '/cut']) {
    const grant = await world.grant([connection]);
    grants.push(grant);
    const response = await world.call(connection, path, { headers: { 'hoop-grant': grant } });
    answers.push(JSON.stringify([...response.headers]), await response.text().catch((error: unknown) => String(error)));
    const { outcome } = await world.record(response.headers.get('hoop-call'));
    expect(outcome!.leaseFingerprint).toMatch(/^[0-9a-f]{16}$/);
    if (path === '/echo') expect(outcome!.credentialReflected).toBe(true);
    if (outcome!.responseBody?.sealed) {
      const key = await openDataKey(world.recordingKeys.privateJwks, outcome!.dataKey!.wrapped);
      answers.push(openBody(key, outcome!.responseBody.sealed, `${outcome!.callId}:response`).toString());
    }
  }
}

describe('the credential reaches neither the function nor a record', () => {
  it.each(injections)('injected into %s', async (_what, settings) => {
    await exercise(await world.connect({ target: target.url, credential: { settings, secrets: { secret: canary } } }));
  });

  it('obtained by client credentials', async () => {
    const settings: CredentialSourceSettings = {
      type: 'oauth2_client_credentials',
      tokenUrl: `${target.url}/token`,
      clientId: 'hoop',
      clientAuthentication: 'client_secret_post',
      injection: { into: 'header', name: 'authorization', template: 'Bearer {secret}' },
    };
    await exercise(await world.connect({ target: target.url, credential: { settings, secrets: { clientSecret } } }));
  });

  it('and not the log, a job or an error, when things go wrong either', async () => {
    const wrongTarget = await world.connect({
      target: 'http://127.0.0.1:1',
      credential: { settings: injections[0]![1], secrets: { secret: canary } },
    });
    const response = await world.call(wrongTarget, '/x');
    answers.push(await response.text());
    const unopenable = await world.connect({
      target: target.url,
      credential: { settings: injections[0]![1], secrets: { secret: canary } },
    });
    await world.publish((snapshot) => {
      snapshot.connections.find(({ id }) => id === unopenable.id)!.settings.target = 'http://127.0.0.2:80';
    });
    const refused = await world.call(unopenable, '/x');
    expect(refused.headers.get('hoop-error')).toBe('credential_not_openable');
    answers.push(await refused.text());

    const unpacked = world.jobs.map((job) => {
      const packed = Buffer.from((JSON.parse(job) as { packed: string }).packed, 'base64');
      return packed.toString('latin1');
    });
    const places = {
      answers,
      log: world.log,
      jobs: world.jobs,
      unpacked,
      records: [...world.calls.values()].map((call) => JSON.stringify(call)),
    };
    const privateKey = String(world.sealingKeys.privateJwks.keys[0]!['d']);
    const secrets = [canary, clientSecret, ...grants, privateKey, 'relay-token-of-the-test'].flatMap((secret) => {
      const bytes = Buffer.from(secret);
      return [
        secret,
        bytes.toString('hex'),
        ...[0, 1, 2].map((shift) =>
          Buffer.concat([Buffer.alloc(shift), bytes])
            .toString('base64')
            .slice(4, -6),
        ),
      ];
    });
    for (const [place, texts] of Object.entries(places)) {
      expect(texts.length, place).toBeGreaterThan(0);
      const text = texts.join('\n');
      for (const secret of secrets) expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
    }
  });
});
