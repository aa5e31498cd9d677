/**
 * The paths that common servers could take a path for. Express, Rails, Django and ASP.NET ignore a last slash or case;
 * Tomcat and Spring drop `;parameters`; IIS and Windows drop dots and spaces at the end of a segment; Rails, Django REST
 * framework and Spring take `.json` for a format; proxies that decode once too often find a query in an encoded `?`.
 * A rule that restricts covers a path where any of its readings is one of a path that the rule names.
 */
import { decodeFully, pathSettingsSchema } from '@hoop/contract';
import type { PathSettings } from '@hoop/contract';

export interface PathReader {
  /** The same for equal settings. */
  readonly key: string;
  readonly ignoresTrailingSlash: boolean;
  /** Every reading, each once; at least one. Linear in the path. */
  readingsOf(path: string): readonly string[];
  /** The readings of the literal text of a pattern, in which `mark` stands for each parameter. */
  formsOf(text: string): readonly string[];
  /** Characters alone, without regard to segments. */
  foldText(text: string): string;
}

/** Stands for a parameter in the text of a pattern; no path has it, and no reading changes it. */
export const mark = '\u0000';
/** Stands for `%2F` where a reading takes it for data. */
const dataSlash = '\u0001';

const slash = 0x2f;

const readers = new Map<string, PathReader>();

/** @param settings of the connection. @default the widest */
export function pathReader(settings: PathSettings = pathSettingsSchema.parse({})): PathReader {
  const { caseSensitive, trailingSlash, pathParameters, trailingDots, formatSuffix } = settings;
  const key = JSON.stringify([caseSensitive, trailingSlash, pathParameters, trailingDots, formatSuffix]);
  let reader = readers.get(key);
  if (reader === undefined) readers.set(key, (reader = createReader(key, settings)));
  return reader;
}

const lowerCase = "abcdefghijklmnopqrstuvwxyz0123456789/_~!$&'()*,:@+=|[]-";
const plainLowerCase = tableOf(lowerCase);
const plainAnyCase = tableOf(lowerCase + lowerCase.toUpperCase());

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

/** Such a path has one reading: itself, but for a last slash. */
function isPlain(path: string, table: Uint8Array): boolean {
  let before = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code > 127 || table[code] === 0 || (code === slash && before === slash)) return false;
    before = code;
  }
  return true;
}

function createReader(key: string, settings: PathSettings): PathReader {
  const plain = settings.caseSensitive ? plainAnyCase : plainLowerCase;
  const ignoresTrailingSlash = settings.trailingSlash === 'ignored';
  const foldText = (text: string): string => foldCharacters(text, settings.caseSensitive);
  return {
    key,
    ignoresTrailingSlash,
    foldText,
    readingsOf(path) {
      if (!isPlain(path, plain)) return readingsOfText(foldText(path), settings, hasAnySuffix);
      return [ignoresTrailingSlash ? withoutTrailingSlash(path) : path];
    },
    formsOf: (text) => readingsOfText(foldText(text), settings, hasFormatSuffix),
  };
}

const withoutTrailingSlash = (path: string): string => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path);

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Decodes all the way and folds case (Unicode's simple folding and more) and compatible characters (NFKD). */
function foldCharacters(text: string, caseSensitive: boolean): string {
  // oxlint-disable-next-line no-control-regex -- ASCII without encodings
  if (/^[\0-$&-\x7f]*$/.test(text)) return caseSensitive ? text : text.toLowerCase();
  // oxlint-disable-next-line no-control-regex -- ASCII
  const ascii = text.replace(/[^\0-\x7f]+/g, (part) => encodeURIComponent(part.toWellFormed()));
  const bytes = decodeFully(ascii.replace(/%2f/gi, dataSlash));
  // oxlint-disable-next-line no-control-regex -- ASCII
  if (/^[\0-\x7f]*$/.test(bytes)) return caseSensitive ? bytes : bytes.toLowerCase();
  const decoded = utf8.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  const compatible = decoded.replace(/[^\0-\x7f]/gu, compatibleForm);
  if (caseSensitive) return compatible;
  return compatible.toLowerCase().toUpperCase().toLowerCase().replaceAll('\u03c2', '\u03c3').replaceAll('i\u0307', 'i');
}

/** Normalises a character, except where the result would be ASCII punctuation such as a separator: that character is data. */
function compatibleForm(character: string): string {
  const form = character.normalize('NFKD');
  // oxlint-disable-next-line no-control-regex -- all of ASCII but letters and digits
  return /[\0-/:-@[-`{-\x7f]/.test(form) ? character : form;
}

/** Ways in which servers differ; a path has each reading that combines those that make a difference to it. */
const separates = 1;
const cuts = 2;
const dropsSuffix = 4;
const keepsEmptied = 8;

type HasSuffix = (segment: string, dot: number) => boolean;
const hasAnySuffix: HasSuffix = (segment, dot) => dot > 0 && dot < segment.length - 1;
/** Of a rule's own path only a format is dropped, so that a rule for `/app.js` is not one for `/app.css`, nor `/:id.json` one for `/:id`. */
const hasFormatSuffix: HasSuffix = (segment, dot) =>
  dot > 0 && !segment.includes(mark) && /^\.(?:json|xml|x?html?|csv|ics|vcf|rss|atom|ya?ml|txt)$/i.test(segment.slice(dot));

/** A segment is left empty only where it begins with what servers drop. */
// oxlint-disable-next-line no-control-regex -- dataSlash
const mayBeEmptied = /[/\u0001][;.\s]/;

function readingsOfText(text: string, settings: PathSettings, hasSuffix: HasSuffix): readonly string[] {
  let relevant = 0;
  if (text.includes(dataSlash)) relevant |= separates;
  if (/[?#]/.test(text)) relevant |= cuts;
  if (settings.formatSuffix === 'ignored' && text.includes('.')) relevant |= dropsSuffix;
  if (mayBeEmptied.test(text)) relevant |= keepsEmptied;
  const readings = new Set<string>([joined(text, text.split('/').slice(1), settings)]);
  for (let ways = 0; ways < 16; ways++) if ((ways & ~relevant) === 0) readings.add(readingOf(text, ways, settings, hasSuffix));
  return [...readings];
}

function readingOf(text: string, ways: number, settings: PathSettings, hasSuffix: HasSuffix): string {
  let path = text;
  if (ways & separates) path = path.replaceAll(dataSlash, '/');
  if (ways & cuts) path = path.slice(0, firstOf(path, '?', '#'));
  const trim = settings.trailingDots === 'ignored' ? withoutTrailingDots : (segment: string): string => segment;
  const segments = path.split('/').slice(1);
  const read = segments.map((segment) => {
    const left = trim(settings.pathParameters === 'ignored' ? segment.slice(0, firstOf(segment, ';')) : segment);
    return left === '' && ways & keepsEmptied ? segment : left;
  });
  if (ways & dropsSuffix) {
    const last = read.findLastIndex((segment) => segment !== '');
    const dot = read[last]?.lastIndexOf('.') ?? -1;
    if (dot >= 0 && hasSuffix(read[last]!, dot)) read[last] = trim(read[last]!.slice(0, dot));
  }
  return joined(path, read, settings);
}

/** Segments without the empty ones: servers take several slashes for one. */
function joined(path: string, segments: readonly string[], { trailingSlash }: PathSettings): string {
  const whole = `/${segments.filter((segment) => segment !== '').join('/')}`;
  return trailingSlash === 'significant' && whole !== '/' && path.endsWith('/') ? `${whole}/` : whole;
}

function firstOf(text: string, ...characters: readonly string[]): number {
  return characters.reduce((first, character) => {
    const at = text.indexOf(character);
    return at >= 0 && at < first ? at : first;
  }, text.length);
}

/** A loop, as a regular expression would look at a run of dots in the middle once for each of them. */
function withoutTrailingDots(segment: string): string {
  let end = segment.length;
  while (end > 0 && (segment[end - 1] === '.' || segment[end - 1]!.trim() === '')) end--;
  return segment.slice(0, end);
}
