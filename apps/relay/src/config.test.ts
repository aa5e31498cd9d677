import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ConfigurationError } from '@hoop/environment';
import { afterAll, describe, expect, it } from 'vitest';

import { readConfig } from './config.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hoop-relay-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const keyFile = path.join(folder, 'sealing.json');
writeFileSync(keyFile, JSON.stringify({ keys: [{ kid: 'k', d: 'd' }] }));

const least = {
  HOOP_SEALING_KEY_FILE: keyFile,
  HOOP_CONTROL_PLANE_URL: 'http://127.0.0.1:7700/',
  HOOP_RELAY_TOKEN_FILE: '/k/relay.token',
  HOOP_QUEUE_URL: 'postgresql://localhost/hoop',
};

describe('readConfig', () => {
  it('has a default for all but the keys, the control plane and the queue', () => {
    expect(readConfig(least)).toMatchObject({
      host: '127.0.0.1',
      port: 7710,
      workers: 1,
      controlPlaneUrl: 'http://127.0.0.1:7700',
      queue: { kind: 'postgres', url: least.HOOP_QUEUE_URL },
      snapshotMaxAgeMs: 30_000,
      recorderTimeoutMs: 2000,
      limits: {},
      discovery: { sampleEvery: 50 },
    });
  });

  it('hands on the limits that are set, and no others', () => {
    const given = { HOOP_MAX_CALLS: '7', HOOP_MAX_HELD_BYTES: '1099511627776', HOOP_MAX_HEADS: '' };
    expect(readConfig({ ...least, ...given }).limits).toEqual({ maxCalls: 7, maxHeldBytes: 1_099_511_627_776 });
  });

  it('listens in the clear on a network only where that is said', () => {
    expect(readConfig({ ...least, HOOP_HOST: '0.0.0.0', HOOP_PLAIN_HTTP: 'allowed' }).tls).toBeUndefined();
    expect(readConfig({ ...least, HOOP_HOST: '::1' }).tls).toBeUndefined();
    const files = { HOOP_TLS_CERTIFICATE_FILE: '/t/tls.crt', HOOP_TLS_KEY_FILE: '/t/tls.key' };
    expect(readConfig({ ...least, ...files, HOOP_HOST: '0.0.0.0' }).tls).toEqual({ certificateFile: '/t/tls.crt', keyFile: '/t/tls.key' });
    const proxy = { HOOP_CA_CERTIFICATE_FILE: keyFile, HOOP_CA_KEY_FILE: keyFile };
    expect(() => readConfig({ ...least, ...proxy, HOOP_PROXY_HOST: '0.0.0.0' })).toThrow('Listening on 0.0.0.0 without TLS');
    expect(readConfig({ ...least, ...proxy }).proxy).toMatchObject({ host: '127.0.0.1', port: 7711 });
  });

  it('does not look at DATABASE_URL for a queue', () => {
    const env = { ...least, HOOP_QUEUE_URL: '', DATABASE_URL: 'postgresql://localhost/hoop' };
    expect(() => readConfig(env)).toThrow('No queue is configured: set REDIS_URL, HOOP_QUEUE_URL or DATABASE_URL.');
  });

  it.each([
    ['HOOP_SEALING_KEY_FILE', '', 'HOOP_SEALING_KEY_FILE is not set.'],
    ['HOOP_RELAY_TOKEN_FILE', '', 'HOOP_RELAY_TOKEN_FILE is not set.'],
    ['HOOP_CONTROL_PLANE_URL', '', 'HOOP_CONTROL_PLANE_URL is not set.'],
    ['HOOP_CONTROL_PLANE_URL', 'http://u:p@h', 'HOOP_CONTROL_PLANE_URL must be an http or https URL without user info.'],
    [
      'HOOP_HOST',
      '0.0.0.0',
      'Listening on 0.0.0.0 without TLS would send tokens in the clear: set HOOP_TLS_CERTIFICATE_FILE and HOOP_TLS_KEY_FILE, or HOOP_PLAIN_HTTP=allowed where TLS is ended before this process.',
    ],
    ['HOOP_TLS_KEY_FILE', '/k/key', 'HOOP_TLS_CERTIFICATE_FILE and HOOP_TLS_KEY_FILE belong together: TLS needs both.'],
    ['HOOP_TLS_CLIENT_CA_FILE', '/k/ca', 'HOOP_TLS_CLIENT_CA_FILE needs TLS: set HOOP_TLS_CERTIFICATE_FILE and HOOP_TLS_KEY_FILE.'],
    ['HOOP_CA_KEY_FILE', '/k/ca.key', 'HOOP_CA_CERTIFICATE_FILE and HOOP_CA_KEY_FILE belong together: the forward proxy needs both.'],
    ['HOOP_WORKERS', '0', 'HOOP_WORKERS must be a whole number from 1 to 256.'],
    ['HOOP_MAX_CALLS', '0', 'HOOP_MAX_CALLS must be a whole number from 1 to 1099511627776.'],
    ['HOOP_QUEUE_URL', 'mysql://h', 'HOOP_QUEUE_URL must be a URL that starts with postgres:// or postgresql://.'],
  ])('refuses %s=%j with the sentence that names the variable', (name, value, sentence) => {
    expect(() => readConfig({ ...least, [name]: value })).toThrow(new ConfigurationError(sentence));
  });
});
