/** Masks one JSON string or number. */
import { HASH, NONE, NULL, PARTIAL, REDACT, redacted, REMOVE, replaceText } from '../../actions/action.ts';
import type { Action } from '../../actions/action.ts';
import { latin1Text, utf8Bytes } from '../../bytes.ts';
import { limits } from '../../engine.ts';
import type { Engine } from '../../engine.ts';
import { Constant } from '../../output.ts';
import { countable, DASH, DIGIT, DOT, PLUS } from '../../text/byte-classes.ts';
import type { MaskedText } from '../../text/text-rules.ts';
import type { Tally } from '../machine.ts';
import { decodeJsonString, encodeJsonString } from './json-string.ts';
import type { Place } from './place.ts';

const redactedValue = new Constant(utf8Bytes(JSON.stringify(redacted)));
const nullValue = new Constant(utf8Bytes('null'));
const noValue = new Constant(new Uint8Array(0));
/** Replaces a part of a string. */
export const redactedPart: Constant = new Constant(utf8Bytes(redacted));
/** First raw bytes of a string that may hold JSON: a bracket, white space, an escape, a byte order mark. */
export const mayBeNested: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  [0x20, 0x5b, 0x5c, 0x7b, 0xef].includes(byte) ? 1 : 0,
);

/** Returns the replacement of a value whose content does not matter. */
export function replacement(action: Action): Constant {
  if (action === NULL) return nullValue;
  return action === REMOVE ? noValue : redactedValue;
}

/** A masked text as a JSON string. */
export const textBytes = (text: string | null): Uint8Array => (text === redacted ? redactedValue.bytes : encodeJsonString(text));

/** Returns the replacement of the string `bytes[from, to)` (with its quotes); null: no change. `nesting`: how many strings enclose it. */
export function maskString(
  engine: Engine,
  tally: Tally,
  bytes: Uint8Array,
  from: number,
  to: number,
  place: Place,
  scanned: { readonly classes: number; readonly counts: number; readonly hasSpecial: boolean },
  nesting: number,
): Uint8Array | null {
  const { action } = place.state;
  const { context } = place.entry;
  const isPlainAscii = !scanned.hasSpecial;
  if (action !== NONE) {
    tally.maskedCount++;
    if (action >= REDACT) return replacement(action).bytes;
    return encodeJsonString(replaceText(action, decodeJsonString(bytes, from, to, isPlainAscii), engine.hash));
  }
  const length = to - from - 2;
  if (length > 1 && mayBeNested[bytes[from + 1]!] === 1) {
    const text = decodeJsonString(bytes, from, to, isPlainAscii);
    const nested = engine.maskNested(engine, tally, text, { state: place.state, entry: place.entry, nesting });
    if (nested !== undefined) return nested === null ? null : encodeJsonString(nested);
  }
  const rules = engine.text;
  if (rules === null) return null;
  let candidates = rules.candidates(scanned.classes, length, scanned.counts, context);
  if (candidates === 0) return null;
  let masked: MaskedText | null;
  if (isPlainAscii) {
    candidates = rules.narrow(bytes, from + 1, to - 1, candidates, context);
    if (candidates === 0) return null;
    masked = rules.maskOf(decodeJsonString(bytes, from, to, true), context, candidates);
  } else {
    if (rules.narrowByWords(bytes, from + 1, to - 1, candidates, context) === 0) return null;
    masked = rules.mask(decodeJsonString(bytes, from, to, false), context);
  }
  if (masked === null) return null;
  tally.maskedCount += masked.count;
  return textBytes(masked.text);
}

/** At most: every byte a digit, and the point. */
const countsOfNumber = (length: number): number => Math.min(length, countable - 1) + (1 << 10);

/** Returns the replacement of the number or literal `bytes[from, to)`; null: no change. */
export function maskBare(
  engine: Engine,
  tally: Tally,
  bytes: Uint8Array,
  from: number,
  to: number,
  action: Action,
  context: number,
): Uint8Array | null {
  const isNumber = bytes[from]! < 0x3a;
  if (action !== NONE) {
    tally.maskedCount++;
    if (action >= REDACT || !isNumber) return replacement(action === PARTIAL || action === HASH ? REDACT : action).bytes;
    return encodeJsonString(replaceText(action, latin1Text(bytes, from, to), engine.hash));
  }
  if (!isNumber || engine.text === null || to - from > limits.number) return null;
  const candidates = engine.text.candidates(DIGIT | DOT | DASH | PLUS, to - from, countsOfNumber(to - from), context);
  const kept = candidates === 0 ? 0 : engine.text.narrow(bytes, from, to, candidates, context);
  const masked = engine.text.maskOf(latin1Text(bytes, from, to), context, kept);
  if (masked === null) return null;
  tally.maskedCount += masked.count;
  return masked.text === null || masked.text === '' ? nullValue.bytes : encodeJsonString(masked.text);
}
