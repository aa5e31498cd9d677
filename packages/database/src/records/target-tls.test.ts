import { createTestDatabase } from '@hoop/testkit';
import { expect, test } from 'vitest';

import { sampleCall } from '../../test/sample-entries.ts';
import { findCall, recordEntries } from './index.ts';
import { openSignedDatabase } from '../../test/row-keys.ts';

test('what the target’s TLS connection was is on record; of a plain one, that it was none', async () => {
  const database = await createTestDatabase();
  const db = openSignedDatabase(database.url);
  const targetTls = {
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    fingerprint: 'AA:BB',
    subject: 'CN=a',
    issuer: 'CN=b',
    validTo: 'Nov 24 07:00:00 2027 GMT',
  };
  const [secure, plain] = [sampleCall(), sampleCall()];
  await recordEntries(db.pool, [secure.intent, { ...secure.outcome, targetTls }, plain.intent, plain.outcome]);
  expect((await findCall(db.prisma, secure.outcome.callId))!.targetTls).toEqual(targetTls);
  expect((await findCall(db.prisma, plain.outcome.callId))!.targetTls).toBeNull();
  await db.close();
  await database.drop();
});
