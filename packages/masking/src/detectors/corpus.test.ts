import examples from 'libphonenumber-js/mobile/examples';
import { getCountries, getExampleNumber } from 'libphonenumber-js/max';
import { describe, expect, test } from 'vitest';

import { readCorpus, score } from './corpus.ts';
import { isInternationalNumber } from './phone-plan.ts';
import { REDACT } from '../actions/action.ts';
import { TextRules } from '../text/text-rules.ts';
import { detectorGroups, detectors } from './registry.ts';

/** Precision and recall that each detector has at least; a change that lowers one has to say so here. */
const floors: Readonly<Record<string, readonly [precision: number, recall: number]>> = {
  payment_card: [1, 0.95],
  iban: [1, 1],
  email: [1, 0.94],
  phone: [1, 0.97],
  us_ssn: [1, 0.88],
  us_itin: [1, 1],
  passport: [1, 1],
  drivers_licence: [1, 0.87],
  ip_address: [0.92, 1],
  mac_address: [1, 1],
  date_of_birth: [1, 0.9],
  person_name: [1, 0.94],
  postal_address: [1, 0.91],
  secret: [1, 0.93],
  aws_key: [1, 0.9],
  gcp_key: [1, 1],
  azure_key: [1, 1],
  github_token: [1, 1],
  gitlab_token: [1, 1],
  slack_token: [1, 1],
  stripe_key: [1, 1],
  openai_key: [1, 1],
  anthropic_key: [1, 1],
  saas_key: [1, 0.94],
  jwt: [1, 1],
  private_key: [1, 1],
};

describe('detectors on the labelled corpus', () => {
  test('every detector has a corpus and a floor', () => {
    expect(Object.keys(floors).toSorted()).toEqual([...detectors.keys()].toSorted());
  });

  for (const name of detectors.keys()) {
    test(`${name} keeps its precision and recall`, () => {
      const corpus = readCorpus(name);
      expect(corpus.filter((one) => one.finds.length > 0).length).toBeGreaterThan(2);
      expect(corpus.filter((one) => one.finds.length === 0).length).toBeGreaterThan(10);
      const { precision, recall, wrong } = score(name, corpus);
      const [leastPrecision, leastRecall] = floors[name]!;
      expect(precision, wrong.join('; ')).toBeGreaterThanOrEqual(leastPrecision);
      expect(recall, wrong.join('; ')).toBeGreaterThanOrEqual(leastRecall);
    });
  }

  test('a million words of prose hold no credential, though they speak of them', () => {
    const words =
      'the a of and to in is was that it for on with as at by this from or an be are not have has one all can will if number value code valid sent stored rotated read given made changed expired token secret key passwords credential credentials access api client refresh session bearer authorization basic private public signing account user pass host name header server request response page next note see also example: Note: token: secret: key: authorization: (token) "secret" key= it. them, there; accessToken apiKey clientSecret tokenizer expat compat hotel cancel https://example.com/docs user@example.com v1.2.3 2024 12 3.5 UTF-8 sha256 base64 AES-256 RFC-7519 getToken() process.env.TOKEN options.secret SecretKeyFactory'.split(
        ' ',
      );
    const rules = new TextRules({
      detectors: detectorGroups
        .get('credential')!
        .flatMap((name) => detectors.get(name)!.parts ?? [detectors.get(name)!])
        .map((detector) => ({ detector, action: REDACT })),
      patterns: [],
      words: [],
      hash: (text) => text,
    });
    let state = 1;
    const found: string[] = [];
    for (let line = 0; line < 50_000; line++) {
      const text = Array.from({ length: 20 }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return words[(state >>> 8) % words.length];
      }).join(' ');
      for (const { start, end } of rules.find(text, 0))
        found.push(`${text.slice(Math.max(0, start - 30), start)}[${text.slice(start, end)}]`);
    }
    expect([...new Set(found)].slice(0, 10)).toEqual([]);
  });

  test('the compiled numbering plans agree with the library on an example of every country and on its neighbours', () => {
    for (const country of getCountries()) {
      const example = getExampleNumber(country, examples);
      if (example === undefined) continue;
      const digits = example.number.slice(1);
      expect(isInternationalNumber(digits), digits).toBe(example.isValid());
      expect(isInternationalNumber(`${digits}0000000`), digits).toBe(false);
    }
  });
});
