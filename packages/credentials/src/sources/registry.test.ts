import { readFileSync } from 'node:fs';
import path from 'node:path';

import { credentialSourceSettingsSchema } from '@hoop/contract';
import { Secret } from '@hoop/sealing';
import { expect, it } from 'vitest';

import { describeSource, signerOf } from './registry.ts';

const kinds = credentialSourceSettingsSchema.options.map((option) => option.shape.type.value);
const given = {
  static: { type: 'static', injection: { into: 'header' } },
  oauth2_client_credentials: { type: 'oauth2_client_credentials', tokenUrl: 'https://auth.example/token?key=hidden', clientId: 'billing' },
};

it('every kind of source has a row in the document of how to add one', () => {
  const document = readFileSync(path.join(import.meta.dirname, '../../../../docs/extending.md'), 'utf8');
  for (const kind of kinds) expect(document).toContain(`| \`${kind}\` |`);
});

it('every kind of source of the contract has its name in logs, without anything that could be secret, and signs', () => {
  expect(kinds.sort()).toEqual(Object.keys(given).sort());
  const request = { method: 'POST', url: 'https://api.example/x?a=1', headers: [], search: '?a=1', body: Buffer.from('body') };
  for (const kind of kinds) {
    const settings = credentialSourceSettingsSchema.parse(given[kind]);
    expect(describeSource(settings)).toMatch(/^[a-z]/i);
    expect(describeSource(settings)).not.toContain('hidden');
    expect(signerOf(settings, new Secret('the-secret'))(request)).toEqual({
      headers: [['authorization', 'Bearer the-secret']],
      search: '?a=1',
    });
  }
  expect(describeSource(credentialSourceSettingsSchema.parse(given.oauth2_client_credentials))).toBe(
    'OAuth client credentials of "billing" at auth.example',
  );
});
