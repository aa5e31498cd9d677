import { inspect } from 'node:util';

import { AppError, newId } from '@hoop/contract';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  boundHosts,
  createDataKey,
  generateSealingKeys,
  normaliseHosts,
  openSecrets,
  resealSecrets,
  rotateKeys,
  sealSecrets,
  sealedKeyId,
} from './index.ts';
import type { GeneratedKeys } from './index.ts';

const binding = {
  connectionId: newId('connection'),
  credentialSourceId: newId('credential_source'),
  hosts: ['https://api.payments.example', 'token https://auth.payments.example'],
};
const secret = 'sk_live_canary_0123456789';
let keys: GeneratedKeys;

beforeAll(async () => {
  keys = await generateSealingKeys();
});

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).code).toBe('credential_not_openable');
  expect(inspect(error, { depth: 10 })).not.toContain(secret);
  return error as AppError;
}

describe('sealed secrets', () => {
  it('open for the connection, source and hosts that they were sealed for', async () => {
    const sealed = await sealSecrets(keys.publicJwks, { ...binding, secrets: { secret } });
    const opened = await openSecrets(keys.privateJwks, sealed, binding);
    expect(opened.reveal()).toEqual({ secret });
    expect(sealed).not.toContain(secret);
    expect(`${JSON.stringify({ opened })} ${String(opened)} ${inspect({ opened })} ${opened as unknown as string}`).not.toContain(secret);
  });

  it('cannot be opened with the public key that sealed them', async () => {
    const sealed = await sealSecrets(keys.publicJwks, { ...binding, secrets: { secret } });
    expect((await refusal(openSecrets(keys.publicJwks, sealed, binding))).detail).toContain('Enter the secret again');
  });

  it('do not open for another connection, another source or other hosts', async () => {
    const sealed = await sealSecrets(keys.publicJwks, { ...binding, secrets: { secret } });
    const open = (change: Partial<typeof binding>) => refusal(openSecrets(keys.privateJwks, sealed, { ...binding, ...change }));
    expect((await open({ connectionId: newId('connection') })).detail).toContain('another connection');
    expect((await open({ credentialSourceId: newId('credential_source') })).detail).toContain('another credential source');
    expect((await open({ hosts: ['https://evil.example'] })).detail).toContain('hosts');
    expect((await open({ hosts: [...binding.hosts, 'https://evil.example'] })).detail).toContain('hosts');
    expect((await open({ hosts: ['token https://api.payments.example', 'https://auth.payments.example'] })).detail).toContain('hosts');
  });

  it('open whatever the order, case or default port of the hosts', async () => {
    const sealed = await sealSecrets(keys.publicJwks, { ...binding, secrets: { secret } });
    const hosts = ['token https://AUTH.payments.example:443', 'https://API.payments.example', 'https://api.payments.example:443'];
    expect((await openSecrets(keys.privateJwks, sealed, { ...binding, hosts })).reveal()).toEqual({ secret });
  });

  it('do not open where the relay lacks the key', async () => {
    const sealed = await sealSecrets(keys.publicJwks, { ...binding, secrets: { secret } });
    const other = await generateSealingKeys();
    expect((await refusal(openSecrets(other.privateJwks, sealed, binding))).detail).toContain('does not have');
    const misnamed = { keys: [{ ...other.privateJwks.keys[0]!, kid: keys.privateJwks.keys[0]!.kid! }] };
    expect((await refusal(openSecrets(misnamed, sealed, binding))).detail).toContain('another key');
    const doubled = { keys: [keys.privateJwks.keys[0]!, keys.privateJwks.keys[0]!] };
    expect((await refusal(openSecrets(doubled, sealed, binding))).detail).toContain('same kid');
  });

  it('refuse to be sealed with a private key or with none', async () => {
    await expect(sealSecrets(keys.privateJwks, { ...binding, secrets: { secret } })).rejects.toThrow('private key');
    await expect(sealSecrets({ keys: [] }, { ...binding, secrets: { secret } })).rejects.toThrow('empty');
  });

  it('refuse to be sealed with a key on which every secret is the same: a point of small order', async () => {
    const [jwk] = keys.publicJwks.keys;
    const weak = { keys: [{ ...jwk!, x: Buffer.alloc(32).toString('base64url') }] };
    await expect(sealSecrets(weak, { ...binding, secrets: { secret } })).rejects.toThrow(/cannot be trusted/);
    await expect(createDataKey(weak.keys[0]!)).rejects.toThrow(/cannot be trusted/);
  });

  it('hide the length of a secret up to 256 bytes', async () => {
    const lengths = new Set<number>();
    for (const length of [1, 10, 100, 200]) {
      lengths.add((await sealSecrets(keys.publicJwks, { ...binding, secrets: { secret: 'x'.repeat(length) } })).length);
    }
    expect(lengths.size).toBe(1);
  });

  it('survive a rotation of keys: old ones open, new ones seal, and resealing makes the old key needless', async () => {
    const fresh = await generateSealingKeys();
    const privateJwks = rotateKeys(keys.privateJwks, fresh.privateJwks);
    const publicJwks = rotateKeys(keys.publicJwks, fresh.publicJwks);
    const old = await sealSecrets(keys.publicJwks, { ...binding, secrets: { secret } });
    expect((await openSecrets(privateJwks, old, binding)).reveal()).toEqual({ secret });

    const resealed = await resealSecrets(privateJwks, publicJwks, old, binding);
    expect(sealedKeyId(old)).toBe(keys.publicJwks.keys[0]!.kid);
    expect(sealedKeyId(resealed)).toBe(fresh.publicJwks.keys[0]!.kid);
    expect((await openSecrets(fresh.privateJwks, resealed, binding)).reveal()).toEqual({ secret });
    await refusal(resealSecrets(privateJwks, publicJwks, old, { ...binding, hosts: ['https://evil.example'] }));
  });

  it('open to exactly what was sealed, for any secret (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 600, unit: 'binary' }), async (text) => {
        const sealed = await sealSecrets(keys.publicJwks, { ...binding, secrets: { secret: text } });
        expect((await openSecrets(keys.privateJwks, sealed, binding)).reveal()).toEqual({ secret: text });
      }),
      { numRuns: 50 },
    );
  });

  it('do not open after a change of any character (property)', async () => {
    const sealed = await sealSecrets(keys.publicJwks, { ...binding, secrets: { secret } });
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.constantFrom(...alphabet), async (at, character) => {
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        // Two spellings of the same last bits of a base64url part are the same bytes.
        const bytes = (text: string) =>
          text
            .split('.')
            .map((part) => Buffer.from(part, 'base64url').toString('hex'))
            .join('.');
        fc.pre(bytes(changed) !== bytes(sealed));
        await refusal(openSecrets(keys.privateJwks, changed, binding));
      }),
      { numRuns: 300 },
    );
  });
});

describe('bound hosts', () => {
  const connection = {
    target: 'https://API.Payments.example:443/v2',
    allowedHosts: ['files.payments.example', 'eu.payments.example:8443'],
  };
  const oauth = {
    type: 'oauth2_client_credentials',
    tokenUrl: 'https://auth.payments.example/token',
    clientId: 'hoop',
    clientAuthentication: 'client_secret_basic',
    injection: { into: 'header', name: 'authorization', template: 'Bearer {secret}' },
  } as const;

  it('are the origins of target, allowed hosts and token endpoint, sorted', () => {
    expect(boundHosts(connection, oauth)).toEqual([
      'https://api.payments.example',
      'https://eu.payments.example:8443',
      'https://files.payments.example',
      'token https://auth.payments.example',
    ]);
    expect(boundHosts(connection, null)).toHaveLength(3);
  });

  it('change with tokenUrl, with the scheme, and when target and token endpoint trade places', () => {
    const here = JSON.stringify(boundHosts(connection, oauth));
    expect(JSON.stringify(boundHosts(connection, { ...oauth, tokenUrl: 'https://evil.example/token' }))).not.toBe(here);
    expect(JSON.stringify(boundHosts(connection, { ...oauth, tokenUrl: 'http://auth.payments.example/token' }))).not.toBe(here);
    expect(JSON.stringify(boundHosts({ ...connection, target: 'http://api.payments.example' }, oauth))).not.toBe(here);
    expect(
      boundHosts({ target: 'https://auth.payments.example', allowedHosts: [] }, { ...oauth, tokenUrl: 'https://api.payments.example' }),
    ).not.toEqual(boundHosts({ target: 'https://api.payments.example', allowedHosts: [] }, oauth));
  });

  it('refuse what is not a URL', () => {
    expect(() => boundHosts({ target: 'nonsense', allowedHosts: [] }, null)).toThrow(AppError);
  });

  it('are the same in any order and when normalised again (property)', () => {
    const host = fc
      .tuple(fc.domain(), fc.option(fc.integer({ min: 1, max: 65_535 })))
      .map(([name, port]) => (port === null ? name : `${name}:${port}`));
    fc.assert(
      fc.property(fc.array(host, { maxLength: 6 }), (hosts) => {
        const once = normaliseHosts(hosts);
        expect(normaliseHosts(hosts.toReversed().map((one) => one.toUpperCase()))).toEqual(once);
        expect(normaliseHosts(once)).toEqual(once);
      }),
    );
  });
});
