import { startTarget } from '@hoop/testkit';
import { expect, test } from 'vitest';

import { World } from './world.ts';

test('the record says what the TLS connection to the target was, and of a plain one that there was none', async () => {
  const secure = await startTarget((_req, res) => void res.end('secret'), { tls: true });
  const plain = await startTarget((_req, res) => void res.end('plain'));
  const world = await World.start({ targetCa: secure.ca! });
  try {
    const told = async (url: string) => {
      const response = await world.call(await world.connect({ target: url }), '/x');
      expect(response.status, await response.text()).toBe(200);
      return (await world.record(response.headers.get('hoop-call'), (call) => call.outcome !== null)).outcome!;
    };
    expect(await told(secure.url)).toMatchObject({
      targetAddress: expect.any(String),
      targetTls: {
        protocol: 'TLSv1.3',
        cipher: expect.stringContaining('TLS_'),
        fingerprint: expect.stringMatching(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/),
      },
    });
    expect((await told(plain.url)).targetTls).toBeNull();
  } finally {
    await world.close();
    await Promise.all([secure.close(), plain.close()]);
  }
});
