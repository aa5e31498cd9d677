import { readFileSync } from 'node:fs';
import path from 'node:path';

import { identityProviderSettingsSchema } from '@hoop/contract';
import type { IdentityProviderSettings } from '@hoop/contract';
import { describe, expect, it } from 'vitest';

import type { KindName } from './kind.ts';
import { kinds, providerEndpoints, providerOverlap, providerTrust } from './registry.ts';

/** Settings of each kind; one that is missing does not compile. */
const given: { readonly [K in KindName]: IdentityProviderSettings } = {
  oidc: identityProviderSettingsSchema.parse({ issuer: 'https://issuer.example', audiences: ['hoop'] }),
};

describe.each(Object.keys(kinds) as KindName[])('the provider kind %s', (kind) => {
  const settings = given[kind];

  it('says where its keys are, whose tokens it trusts, and that a provider overlaps itself', () => {
    expect(settings.kind).toBe(kind);
    for (const { url, name } of providerEndpoints(settings)) {
      expect(URL.canParse(url)).toBe(true);
      expect(name).toMatch(/^[a-zA-Z]/);
    }
    expect(providerTrust(settings)).toMatchObject({ kind });
    expect(Object.keys(providerTrust(settings)).length).toBeGreaterThan(1);
    expect(providerOverlap(settings, settings)).toMatch(/^the /);
  });

  it('reads no text that is nothing', () => {
    for (const text of ['', ' ', '\0', 'x'.repeat(100_000)]) expect(kinds[kind].reads(text)).toBe(false);
  });

  it('has a row in the document of how to add one', () => {
    const document = readFileSync(path.join(import.meta.dirname, '../../../../docs/extending.md'), 'utf8');
    expect(document).toContain(`| \`${kind}\` |`);
  });
});
