/** The spellings in docs/policy.md are restricted by default, and told apart with the setting that stands beside each. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { pathSettingsSchema } from '@hoop/contract';
import type { PathSettings, Rule } from '@hoop/contract';
import { compilePolicy, decide } from '@hoop/policy';
import { describe, expect, it } from 'vitest';

const page = readFileSync(path.join(import.meta.dirname, '../../docs/policy.md'), 'utf8');
const rows = [...page.matchAll(/^\| `(\/v1[^`]*)` \| .* \| (.*) \|$/gm)].map(([, sent, setting]) => [sent!, setting!] as const);

const rules: Rule[] = [
  { name: 'all', effect: 'allow', match: { paths: ['/v1/*'] } },
  { name: 'refunds', effect: 'deny', match: { paths: ['/v1/refunds'] } },
];
const effectOf = (sent: string, paths?: PathSettings): string =>
  decide(compilePolicy({ id: 'p', revision: 1, rules }, paths), {
    request: { method: 'POST', path: sent, query: {}, headers: {}, body: null, bodyState: 'absent' },
    identity: { name: 'n', issuer: 'i', subject: 's', claims: {}, labels: {} },
    connection: { name: 'c' },
    context: {},
    now: 0,
  }).effect;

const settingsIn = (text: string): PathSettings =>
  pathSettingsSchema.parse(
    Object.fromEntries([...text.matchAll(/(\w+): (\w+)/g)].map(([, name, value]) => [name, value === 'true' ? true : value])),
  );

describe('the spellings on the page of policies', () => {
  it('are there', () => expect(rows.length).toBeGreaterThanOrEqual(7));

  it.each(rows)('%s is restricted, and told apart with %s', (sent, setting) => {
    expect(effectOf(sent)).toBe('deny');
    expect(effectOf(sent, settingsIn(setting))).toBe(setting === 'never' ? 'deny' : 'allow');
  });

  it('have every setting with its default on the page', () => {
    for (const [name, value] of Object.entries(pathSettingsSchema.parse({})))
      expect(page).toContain(`| \`${name}\` | \`${String(value)}\` |`);
  });
});
