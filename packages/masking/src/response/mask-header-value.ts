/** Applies the rules to one header's value, in any notation of its text. */
import { NONE, REMOVE, redacted, replaceText } from '../actions/action.ts';
import type { Engine } from '../engine.ts';
import type { Tally } from '../formats/machine.ts';
import { maskRunningText } from '../formats/plain-text.ts';
import { parseMediaType } from '@hoop/contract';
import { isStructural } from './structural-header.ts';

/** Null: the header is removed. */
export function maskHeaderValue(name: string, value: string, engine: Engine, tally: Tally): string | null {
  if (isStructural(name, value)) return value;
  if (name === 'content-type' && parseMediaType(value) !== null) return maskContentType(value, engine, tally);
  const entry = engine.keys.named(name);
  const { action } = engine.root.member(entry);
  if (action !== NONE) {
    tally.maskedCount++;
    return action === REMOVE ? null : (replaceText(action, value, engine.hash) ?? '');
  }
  if (!hasNotation.test(value)) return maskPlain(value, entry.context, engine, tally);
  return latin1Of(maskNotations(utf8Of(value), entry.context, engine, tally));
}

/** Pairs, JSON, escapes, text that is not ASCII: more than the value as it stands has to be looked at. */
const hasNotation = /[=:%\\{["\x80-\xff]/;

function maskPlain(value: string, context: number, engine: Engine, tally: Tally): string {
  const found = engine.text?.mask(value, context) ?? null;
  if (found === null) return value;
  tally.maskedCount += found.count;
  return found.text ?? '';
}

function maskNotations(value: string, context: number, engine: Engine, tally: Tally): string {
  const entry = engine.keys.named('');
  const nested = engine.maskNested(engine, tally, value, { state: engine.root, entry, nesting: 0 });
  if (typeof nested === 'string') return nested;
  let masked = maskRunningText(engine, tally, maskPlain(value, context, engine, tally), context);
  masked = masked.replace(encodedWord, (word: string, coding: string, text: string) => {
    const decoded = coding.toLowerCase() === 'b' ? Buffer.from(text, 'base64').toString() : utf8Of(unquoted(text.replaceAll('_', ' ')));
    return maskedOr(word, decoded, engine, tally);
  });
  if (masked.includes('%')) {
    let pieces = 0;
    masked = masked.replaceAll(piece, (written) => {
      if (!written.includes('%') || ++pieces > maxPieces) return written;
      const changed = maskedOr(written, percentDecoded(written), engine, tally);
      return changed === written ? written : encodeURIComponent(changed);
    });
    masked = hiddenIfFound(masked, percentDecoded(masked), engine, tally);
  }
  // quoted pairs (RFC 9110 §5.6.4)
  return masked.includes('\\') ? hiddenIfFound(masked, masked.replaceAll(/\\(.)/g, '$1'), engine, tally) : masked;
}

/** RFC 2047, as file names are sometimes written. */
const encodedWord = /=\?[\w-]{1,40}\?([bq])\?([^?\s]{0,2000})\?=/gi;
/** The text between the delimiters of URLs and of parameters. */
const piece = /[^\s"'<>(),;=&?#/\\:]+/g;
/** Pieces with escapes that are masked each for itself; what is found in a later one hides the whole value. */
const maxPieces = 200;

function maskedOr(written: string, decoded: string, engine: Engine, tally: Tally): string {
  const masked = maskRunningText(engine, tally, decoded);
  return masked === decoded ? written : masked;
}

/** Something is found in the text that does not stand in one piece of the value: nothing of the value goes on. */
function hiddenIfFound(value: string, decoded: string, engine: Engine, tally: Tally): string {
  if (decoded === value || (engine.text?.find(decoded, 0).length ?? 0) === 0) return value;
  tally.maskedCount++;
  return redacted;
}

/** Escapes in escapes, to this depth. */
const maxDepth = 3;

function percentDecoded(text: string): string {
  let decoded = text;
  for (let depth = 0; depth < maxDepth && decoded.includes('%'); depth++) {
    const once = utf8Of(decoded.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))));
    if (once === decoded) break;
    decoded = once;
  }
  return decoded;
}

const unquoted = (text: string): string =>
  text.replaceAll(/=([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/** `type/subtype; name="value"`: charset and boundary are needed to read the body, and are not text. */
function maskContentType(value: string, engine: Engine, tally: Tally): string {
  if (!value.includes(';')) return value;
  return value.replace(parameter, (whole: string, start: string, name: string, quoted: string | undefined, plain: string | undefined) => {
    const key = name.replace(/\*\d*\*?$/, '').toLowerCase();
    if (key === 'boundary' || (key === 'charset' && /^[\w.:-]{1,40}$/.test((quoted ?? plain ?? '').replaceAll('"', '')))) return whole;
    const text = quoted === undefined ? (plain ?? '') : quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1');
    const masked = maskHeaderValue(key, text, engine, tally);
    if (masked === text) return whole;
    return masked === null ? '' : `${start}${name}="${masked.replaceAll(/["\\]/g, '\\$&')}"`;
  });
}

const parameter = /(;\s*)([^\s;=]+)=(?:("(?:[^"\\]|\\.)*")|([^;]*))/g;

/** The bytes of a header come as characters U+0000 to U+00FF; where they are UTF-8, its text. */
function utf8Of(value: string): string {
  if (!/[\x80-\xff]/.test(value) || /[^\0-\xff]/.test(value)) return value;
  const text = Buffer.from(value, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? value : text;
}

/** A value that a header can have. */
const latin1Of = (text: string): string => (/[^\0-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text);
