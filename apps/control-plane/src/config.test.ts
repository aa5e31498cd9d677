import { describe, expect, it } from 'vitest';

import { ConfigurationError, readConfig } from './config.ts';

const least = {
  DATABASE_URL: 'postgres://localhost/hoop',
  HOOP_GRANT_KEY_FILE: '/k/grant.json',
  HOOP_ROW_KEY_FILE: '/k/rows.json',
  HOOP_SEALING_PUBLIC_KEY_FILE: '/k/sealing.json',
  HOOP_RECORDING_KEY_FILE: '/k/recording.json',
  HOOP_RELAY_TOKEN_FILE: '/k/relay.token',
};

describe('readConfig', () => {
  it('has a default for all but the database and the keys', () => {
    expect(readConfig(least)).toMatchObject({
      host: '127.0.0.1',
      port: 7700,
      relayAudience: 'urn:hoop:relay',
      relayPublicUrl: 'http://127.0.0.1:7710',
    });
  });

  it.each(Object.keys(least))('does not start without %s, and says so', (name) => {
    expect(() => readConfig({ ...least, [name]: undefined })).toThrow(
      new ConfigurationError(`${name} is not set; the control plane cannot start without it.`),
    );
    expect(() => readConfig({ ...least, [name]: '' })).toThrow(ConfigurationError);
  });

  it('listens in the clear on a network only where that is said', () => {
    expect(() => readConfig({ ...least, HOOP_HOST: '10.0.0.1' })).toThrow(
      'Listening on 10.0.0.1 without TLS would send tokens in the clear',
    );
    expect(readConfig({ ...least, HOOP_HOST: '10.0.0.1', HOOP_PLAIN_HTTP: 'allowed' }).tls).toBeUndefined();
  });

  it.each(['x', '-1', '65536', '1e3', '80 '])('refuses the port %j', (port) => {
    expect(() => readConfig({ ...least, HOOP_PORT: port })).toThrow(/HOOP_PORT/);
  });

  it.each(['hoop.example', 'ftp://hoop.example', 'https://hoop.example/?x=1', 'https://hoop.example/#x'])(
    'refuses the public URL %j',
    (url) => {
      expect(() => readConfig({ ...least, HOOP_PUBLIC_URL: url })).toThrow(/HOOP_PUBLIC_URL/);
    },
  );

  it('leaves out the slash at the end of a URL, because issuers are compared exactly', () => {
    expect(readConfig({ ...least, HOOP_PUBLIC_URL: 'https://hoop.example/base/' }).publicUrl).toBe('https://hoop.example/base');
  });
});
