/**
 * Precision and recall of every detector on the labelled corpus under `test/vectors/masking/detectors`. Run alone, it
 * prints the table: `node --conditions=@hoop/source packages/masking/src/detectors/corpus.ts`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { REDACT } from '../actions/action.ts';
import { foldKey } from '../rules/fold-key.ts';
import { TextRules } from '../text/text-rules.ts';
import { keyContext } from './key-context.ts';
import { detectors } from './registry.ts';

export interface LabelledText {
  readonly text: string;
  /** The key under which it stands. */
  readonly key?: string;
  /** The values that a detector must find, as written. */
  readonly finds: readonly string[];
}

export interface Score {
  readonly detector: string;
  readonly texts: number;
  readonly precision: number;
  readonly recall: number;
  /** Found and not labelled, or labelled and not found. */
  readonly wrong: readonly string[];
}

export function readCorpus(detector: string): LabelledText[] {
  return JSON.parse(
    readFileSync(path.join(import.meta.dirname, '../../../../test/vectors/masking/detectors', `${detector}.json`), 'utf8'),
  ) as LabelledText[];
}

export function score(name: string, corpus: readonly LabelledText[]): Score {
  const detector = detectors.get(name)!;
  const rules = new TextRules({
    detectors: (detector.parts ?? [detector]).map((one) => ({ detector: one, action: REDACT })),
    patterns: [],
    words: [],
    hash: (text) => text,
  });
  let right = 0;
  let found = 0;
  let labelled = 0;
  const wrong: string[] = [];
  for (const { text, key, finds } of corpus) {
    const shown = rules.find(text, key === undefined ? 0 : keyContext(foldKey(key))).map(({ start, end }) => text.slice(start, end));
    found += shown.length;
    labelled += finds.length;
    right += finds.filter((one) => shown.includes(one)).length;
    wrong.push(
      ...shown.filter((one) => !finds.includes(one)).map((one) => `found ${one}`),
      ...finds.filter((one) => !shown.includes(one)).map((one) => `missed ${one}`),
    );
  }
  return {
    detector: name,
    texts: corpus.length,
    precision: found === 0 ? 1 : right / found,
    recall: labelled === 0 ? 1 : right / labelled,
    wrong,
  };
}

if (process.argv[1] === import.meta.filename) {
  for (const name of detectors.keys()) {
    const { texts, precision, recall, wrong } = score(name, readCorpus(name));
    process.stdout.write(
      `${name.padEnd(18)} ${String(texts).padStart(4)} texts  precision ${precision.toFixed(3)}  recall ${recall.toFixed(3)}  ${wrong.join('; ')}\n`,
    );
  }
}
