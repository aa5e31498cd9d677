/** Numbers with a plan and a check digit: payment cards, IBANs, US tax numbers. */
import { countrySpecs, isValidIBAN } from 'ibantools';

import { DIGIT } from '../text/byte-classes.ts';
import { F_BEHIND_WORD, F_CARD, F_IBAN, F_SSN } from '../text/features.ts';
import type { Detector } from './detector.ts';
import { CONTEXT_ITIN, CONTEXT_TAX_ID } from './key-context.ts';
import type { Work } from '../text/work.ts';

/** ISO/IEC 7812-1 annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const value = digits.charCodeAt(i) - 48;
    sum += double ? (value > 4 ? value * 2 - 9 : value * 2) : value;
  }
  return sum % 10 === 0;
}

/** Issuer identification numbers: first six digits from–to, and the lengths that they have. */
const issuers: readonly (readonly [from: number, to: number, lengths: readonly number[]])[] = [
  [400000, 499999, [13, 16, 19]], // Visa
  [510000, 559999, [16]], // Mastercard
  [222100, 272099, [16]],
  [340000, 349999, [15]], // American Express
  [370000, 379999, [15]],
  [601100, 601199, [16, 19]], // Discover
  [644000, 659999, [16, 19]],
  [620000, 629999, [16, 17, 18, 19]], // UnionPay
  [810000, 817199, [16, 17, 18, 19]],
  [352800, 358999, [16, 17, 18, 19]], // JCB
  [300000, 305999, [14, 16]], // Diners Club
  [309500, 309599, [14, 16]],
  [360000, 369999, [14, 16]],
  [380000, 399999, [14, 16]],
  [501800, 501899, [12, 13, 14, 15, 16, 17, 18, 19]], // Maestro
  [502000, 502099, [12, 13, 14, 15, 16, 17, 18, 19]],
  [503800, 503899, [12, 13, 14, 15, 16, 17, 18, 19]],
  [589300, 589399, [12, 13, 14, 15, 16, 17, 18, 19]],
  [630400, 630499, [12, 13, 14, 15, 16, 17, 18, 19]],
  [675900, 676399, [12, 13, 14, 15, 16, 17, 18, 19]],
  [220000, 220499, [16, 17, 18, 19]], // Mir
  [606900, 608999, [16]], // RuPay
  [508500, 508999, [16]],
  [506099, 506198, [16, 18, 19]], // Verve
  [979200, 979299, [16]], // Troy
  [501900, 501999, [16]], // Dankort
  [636000, 636999, [16, 19]], // InterPayment, Elo
  [504175, 504175, [16]], // Elo
  [506699, 506778, [16]],
];

export function isCardNumber(digits: string): boolean {
  const issuer = Number(digits.slice(0, 6));
  return issuers.some(([from, to, lengths]) => issuer >= from && issuer <= to && lengths.includes(digits.length)) && passesLuhn(digits);
}

const cardRun = /(?<![0-9])[0-9](?:[ \-\u00a0.]{0,2}[0-9]){11,}/g;
/** Group lengths in which cards are printed; one group always. */
const cardShapes = /^(?:4,4,4,[1-7]|4,4,4,4(?:,[1-3])?|4,6,[45]|4,4,5|6,10|8,8|6,13|5,4,4,3|4,7,4)$/;

export const paymentCard: Detector = {
  name: 'payment_card',
  summary: 'Payment card numbers of 12 to 19 digits, printed in the usual groups or not: issuer range, length and Luhn check digit.',
  needs: DIGIT,
  needsOneOf: 0,
  minLength: 12,
  minDigits: 12,
  minWord: 0,
  features: F_CARD,
  contexts: 0,
  find(text, _context, found, work) {
    for (const run of text.matchAll(cardRun)) {
      // digits behind a decimal point are no number of their own
      if (/^[0-9]+\.[0-9]+$/.test(run[0]) || /[0-9][.,]$/.test(text.slice(Math.max(0, run.index - 2), run.index))) continue;
      findCards(run[0], run.index, found, work);
    }
  },
};

const longestCard = 19;
const shortestCard = 12;
/** Steps of a look whether some groups of digits are a card. */
const cardSteps = 4;

function findCards(run: string, offset: number, found: (start: number, end: number) => void, work: Work): void {
  const groups = [...run.matchAll(/[0-9]+/g)];
  for (let first = 0; first < groups.length; first++) {
    let digits = '';
    let shape = '';
    let hasTwo = false;
    let best = -1;
    for (let last = first; last < groups.length; last++) {
      const group = groups[last]![0];
      if (digits.length + group.length > longestCard) break;
      digits += group;
      shape += last === first ? group.length : `,${group.length}`;
      hasTwo ||= group.length === 2 || group.length === 12;
      if (digits.length < shortestCard) continue;
      work.spend(cardSteps);
      const isSpelled = last - first >= 11 && !hasTwo;
      if ((last === first || isSpelled || cardShapes.test(shape)) && isCardNumber(digits)) best = last;
    }
    if (best < 0) continue;
    found(offset + groups[first]!.index, offset + groups[best]!.index + groups[best]![0].length);
    first = best;
  }
}

/** Steps of a look whether an IBAN begins. */
const ibanSteps = 40;
/** Separators in a row. */
const longestGap = 4;
const isAlphanumeric = (text: string, at: number): boolean => /[A-Za-z0-9]/.test(text[at] ?? '');

const ibanStart = /(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}/g;

export const iban: Detector = {
  name: 'iban',
  summary: 'International bank account numbers (ISO 13616), with or without spaces: the country’s length and format, and the check digits.',
  needs: DIGIT,
  needsOneOf: 0,
  minLength: 15,
  minDigits: 8,
  minWord: 0,
  features: F_IBAN,
  contexts: 0,
  find(text, _context, found, work) {
    for (const start of text.matchAll(ibanStart)) {
      const length = countrySpecs[start[0].slice(0, 2).toUpperCase() as keyof typeof countrySpecs]?.chars;
      if (length === undefined || length === null) continue;
      work.spend(ibanSteps);
      let compact = '';
      let at = start.index;
      for (let gap = 0; at < text.length && compact.length < length && gap <= longestGap; at++) {
        if (isAlphanumeric(text, at)) {
          compact += text[at]!.toUpperCase();
          gap = 0;
        } else if (/[ \-\u00a0]/.test(text[at]!)) gap++;
        else break;
      }
      if (compact.length === length && !isAlphanumeric(text, at) && isValidIBAN(compact)) found(start.index, at);
    }
  },
};

const isSsn = (area: string, group: string, serial: string): boolean =>
  area !== '000' &&
  area !== '666' &&
  area < '900' &&
  group !== '00' &&
  serial !== '0000' &&
  !(area === '078' && group === '05' && serial === '1120');

function isItin(area: string, group: string): boolean {
  const middle = Number(group);
  return (
    area.startsWith('9') &&
    ((middle >= 50 && middle <= 65) || (middle >= 70 && middle <= 88) || (middle >= 90 && middle <= 92) || (middle >= 94 && middle <= 99))
  );
}

const grouped = /(?<![0-9A-Za-z-])([0-9]{3})([ \-.\u2010-\u2013])([0-9]{2})\2([0-9]{4})(?![0-9A-Za-z]|-[0-9])/g;
const plain = /(?<![0-9])([0-9]{3})([0-9]{2})([0-9]{4})(?![0-9])/g;
const taxLabel = /(?:\bssn|social\s{1,4}security|\bitin|tax(?:payer)?\s{0,4}(?:id|identification))[^0-9\n]{0,24}$/i;

function findTaxNumbers(
  text: string,
  called: boolean,
  isValid: (area: string, group: string, serial: string) => boolean,
  found: (start: number, end: number) => void,
): void {
  for (const match of text.matchAll(grouped))
    if (isValid(match[1]!, match[3]!, match[4]!)) found(match.index, match.index + match[0].length);
  for (const match of text.matchAll(plain)) {
    if (!isValid(match[1]!, match[2]!, match[3]!)) continue;
    if (called || taxLabel.test(text.slice(Math.max(0, match.index - 60), match.index))) found(match.index, match.index + match[0].length);
  }
}

export const usSsn: Detector = {
  name: 'us_ssn',
  summary:
    'US social security numbers: three groups in the ranges that are issued; nine digits alone where a key or a word before them says so.',
  needs: DIGIT,
  needsOneOf: 0,
  minLength: 9,
  minDigits: 9,
  minWord: 0,
  features: F_SSN | F_BEHIND_WORD,
  contexts: CONTEXT_TAX_ID,
  find: (text, context, found) => findTaxNumbers(text, (context & CONTEXT_TAX_ID) !== 0, isSsn, found),
};

export const usItin: Detector = {
  name: 'us_itin',
  summary: 'US individual taxpayer identification numbers: area 9xx and the groups that the IRS issues.',
  needs: DIGIT,
  needsOneOf: 0,
  minLength: 9,
  minDigits: 9,
  minWord: 0,
  features: F_SSN | F_BEHIND_WORD,
  contexts: CONTEXT_TAX_ID | CONTEXT_ITIN,
  find: (text, context, found) => findTaxNumbers(text, (context & (CONTEXT_TAX_ID | CONTEXT_ITIN)) !== 0, isItin, found),
};
