/** Identity documents and dates of birth: by check digit where there is one, else by a key or a word before them. */
import { DIGIT } from '../text/byte-classes.ts';
import { F_BEHIND_WORD, F_DATE, F_LABEL, F_LICENCE, F_MRZ } from '../text/features.ts';
import type { Detector } from './detector.ts';
import { CONTEXT_BIRTH, CONTEXT_LICENCE, CONTEXT_PASSPORT } from './key-context.ts';

/** Characters of a text that is a value as a whole, blanks around it included. */
const longestValue = 256;

const weights = [7, 3, 1];

/** ICAO 9303-3 §4.9. */
export function mrzCheckDigit(text: string): string {
  let sum = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    const value = char === '<' ? 0 : char <= '9' ? Number(char) : char.charCodeAt(0) - 55;
    sum += value * weights[i % 3]!;
  }
  return String(sum % 10);
}

/** The second lines of passports (TD3) and of visas and cards (TD2), the first of cards (TD1), and lines of names. */
const mrzLines: readonly { pattern: RegExp; isValid: (line: string) => boolean }[] = [
  {
    pattern: /(?<![A-Z0-9<])[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9]{6}[0-9][MFX<][0-9]{6}[0-9][A-Z0-9<]{7,15}[0-9](?![A-Z0-9<])/g,
    isValid: (line) =>
      mrzCheckDigit(line.slice(0, 9)) === line[9] &&
      mrzCheckDigit(line.slice(13, 19)) === line[19] &&
      mrzCheckDigit(line.slice(21, 27)) === line[27],
  },
  {
    pattern: /(?<![A-Z0-9<])[AIC][A-Z<][A-Z<]{3}[A-Z0-9<]{9}[0-9][A-Z0-9<]{15}(?![A-Z0-9<])/g,
    isValid: (line) => mrzCheckDigit(line.slice(5, 14)) === line[14],
  },
  {
    pattern: /(?<![A-Z0-9<])[PVAIC][A-Z<][A-Z<]{3}[A-Z]+(?:<[A-Z]+)*<<[A-Z<]{2,39}(?![A-Z0-9<])/g,
    isValid: (line) => line.length === 44 || line.length === 36,
  },
];
const passportLabel =
  /\b(?:passport|reisepass|passeport|pasaporte)(?:\s{0,4}(?:no|number|num|nr|nummer|id|#))?\.?(?:\s{0,4}[:#=]|\s{1,4}(?:is|was|ist|lautet)(?:\s?:)?)?\s{0,4}((?=[A-Z0-9]{0,7}[0-9]{2})[A-Z0-9]{6,9})(?![A-Za-z0-9])/gi;
const passportValue = /^\s*(?=[A-Za-z0-9 -]*[0-9])[A-Za-z0-9](?:[ -]?[A-Za-z0-9]){5,11}\s*$/;

export const passport: Detector = {
  name: 'passport',
  summary: 'Passport numbers: machine-readable zones by their check digits (ICAO 9303); others where a key or a word says so.',
  needs: 0,
  needsOneOf: 0,
  minLength: 6,
  minDigits: 0,
  minWord: 0,
  features: F_MRZ | F_LABEL,
  contexts: CONTEXT_PASSPORT,
  find(text, context, found) {
    if (text.includes('<')) {
      for (const { pattern, isValid } of mrzLines)
        for (const match of text.matchAll(pattern)) if (isValid(match[0])) found(match.index, match.index + match[0].length);
    }
    for (const match of text.matchAll(passportLabel))
      found(match.index + match[0].length - match[1]!.length, match.index + match[0].length);
    if ((context & CONTEXT_PASSPORT) !== 0 && text.length <= longestValue && passportValue.test(text)) found(0, text.length);
  },
};

/** DVLA: five of the surname, decade, month (+50: women), day, year, initials, two arbitrary, two check letters. */
const british = /(?<![A-Z0-9])[A-Z]{1,5}9{0,4}([0-9])([0156][0-9])([0-3][0-9])[0-9][A-Z9]{2}[0-9A-Z][A-Z]{2}(?![A-Z0-9])/g;
const licenceLabel =
  /\b(?:driver['’]?s?|driving)\s{0,4}(?:license|licence|lic)\.?(?:\s{0,4}(?:no|number|num|id|#))?\.?(?:\s{0,4}[:#=]|\s{1,4}(?:is|was)(?:\s?:)?)?\s{0,4}((?=[A-Z0-9-]{0,35}[0-9])[A-Z0-9](?:-?[A-Z0-9]){5,17})(?![A-Za-z0-9])/gi;
const licenceValue = /^\s*(?=[A-Za-z0-9 *-]*[0-9])[A-Za-z0-9](?:[ *-]?[A-Za-z0-9]){4,18}\s*$/;

export const driversLicence: Detector = {
  name: 'drivers_licence',
  summary: 'Driving licence numbers: British ones by their structure; others where a key or a word says so.',
  needs: DIGIT,
  needsOneOf: 0,
  minLength: 5,
  minDigits: 4,
  minWord: 0,
  features: F_LICENCE | F_LABEL,
  contexts: CONTEXT_LICENCE,
  find(text, context, found) {
    for (const match of text.matchAll(british)) {
      const month = Number(match[2]) % 50;
      const day = Number(match[3]);
      const surname = /^[A-Z]+9*/.exec(match[0])![0];
      if (surname.length === 5 && match[0].length === 16 && month >= 1 && month <= 12 && day >= 1 && day <= 31)
        found(match.index, match.index + 16);
    }
    for (const match of text.matchAll(licenceLabel)) found(match.index + match[0].length - match[1]!.length, match.index + match[0].length);
    if ((context & CONTEXT_LICENCE) !== 0 && text.length <= longestValue && licenceValue.test(text)) found(0, text.length);
  },
};

const months =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|januar|februar|märz|mai|juni|juli|oktober|dezember)';
const date = `(?:(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:(?:19|20)[0-9]{2}|[0-9]{2})|[0-9]{1,2}(?:st|nd|rd|th)?\\.?\\s{1,4}(?:of\\s{1,4})?${months}\\.?,?\\s{1,4}(?:19|20)[0-9]{2}|${months}\\.?\\s{1,4}[0-9]{1,2}(?:st|nd|rd|th)?,?\\s{1,4}(?:19|20)[0-9]{2}|(?:19|20)[0-9]{6})`;
const labelled = new RegExp(
  `\\b(?:date\\s{1,4}of\\s{1,4}birth|d\\.?o\\.?b\\.?|birth\\s?-?(?:day|date)|born(?:\\s{1,4}on)?|geboren(?:\\s{1,4}am)?|geburtsdatum|né(?:e)?\\s{1,4}le|date\\s{1,4}de\\s{1,4}naissance|fecha\\s{1,4}de\\s{1,4}nacimiento)[^0-9A-Za-z\\n]{0,6}(?:(?:is|was|on|the)\\s{1,4}){0,3}(${date})(?![0-9])`,
  'gi',
);
const dateAlone = new RegExp(`^\\s*${date}(?:[T ][0-9:.+\\-Z ]*)?\\s*$`, 'i');

export const dateOfBirth: Detector = {
  name: 'date_of_birth',
  summary: 'Dates where a key or a word says that somebody was born then.',
  needs: DIGIT,
  needsOneOf: 0,
  minLength: 6,
  minDigits: 4,
  minWord: 0,
  features: F_DATE | F_BEHIND_WORD,
  contexts: CONTEXT_BIRTH,
  find(text, context, found) {
    if ((context & CONTEXT_BIRTH) !== 0 && text.length <= longestValue && dateAlone.test(text)) found(0, text.length);
    for (const match of text.matchAll(labelled)) found(match.index + match[0].length - match[1]!.length, match.index + match[0].length);
  },
};
