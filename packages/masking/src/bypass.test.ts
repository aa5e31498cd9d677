/** Attempts to get a value past the masker, one file each under `test/vectors/masking/bypass`. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { HeaderList } from '@hoop/contract';
import { describe, expect, test } from 'vitest';

import { decodeHtml } from './formats/markup/entities.ts';
import { runMasker } from './testing/run-masker.ts';
import type { RuleInput } from './testing/run-masker.ts';

interface Attempt {
  readonly title: string;
  readonly rules: readonly RuleInput[];
  readonly status?: number;
  readonly headers: HeaderList;
  readonly body?: string;
  readonly bodyBase64?: string;
  /** Values that must not be in the output, in any notation. */
  readonly secrets: readonly string[];
  /** `masked`: the response passes without the secrets; `blocked`: refused at its first byte; `cut`: refused in its body. */
  readonly outcome: 'masked' | 'blocked' | 'cut';
}

/** A text as the readers of several formats would see it, so that an escaped secret is one. */
function readings(text: string): string[] {
  const unescaped = text.replaceAll(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const percent = text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const untagged = decodeHtml(text.replaceAll(/<!--.*?-->|<!\[CDATA\[|\]\]>|<[^>]*>/gs, ''));
  return [text, unescaped, unescaped.replaceAll('\\', ''), percent, decodeHtml(text), untagged, text.replaceAll('\0', '')];
}

const folder = path.join(import.meta.dirname, '../../../test/vectors/masking/bypass');

describe('attempts to get past the masker', () => {
  for (const file of readdirSync(folder).toSorted()) {
    const attempt = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Attempt;
    test(`${file}: ${attempt.title}`, async () => {
      const body =
        attempt.bodyBase64 === undefined
          ? new TextEncoder().encode(attempt.body!)
          : new Uint8Array(Buffer.from(attempt.bodyBase64, 'base64'));
      const sizes = body.length > 20_000 ? [[65_536], [1000]] : [[65_536], [1], [7, 3]];
      let first: string | undefined;
      for (const chunks of sizes) {
        const run = runMasker({ rules: attempt.rules, headers: attempt.headers, body, chunks, status: attempt.status ?? 200 });
        if (attempt.outcome === 'blocked') {
          // refused at its first byte: nothing of it is out
          const { error, report } = await run;
          expect(error?.code).toBe('unmaskable_response');
          expect(report.releasedBytes).toBe(0);
          continue;
        }
        const result = await run;
        expect(result.error?.code ?? 'masked').toBe(attempt.outcome === 'cut' ? 'unmaskable_response' : 'masked');
        const shown = `${result.text}\n${JSON.stringify(result.headers)}`;
        for (const secret of attempt.secrets) for (const reading of readings(shown)) expect(reading).not.toContain(secret);
        if (attempt.outcome === 'masked') {
          expect(result.report.maskedCount > 0 || file === 'multipart-preamble.json').toBe(true);
          first ??= result.text;
          expect(result.text).toBe(first);
        }
      }
    });
  }
});
