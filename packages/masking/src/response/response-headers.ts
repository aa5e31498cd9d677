import type { HeaderList } from '@hoop/contract';

import type { Engine } from '../engine.ts';
import type { Tally } from '../formats/machine.ts';
import type { Scrubber } from '../scrubber/scrubber.ts';
import { maskHeaderValue } from './mask-header-value.ts';

/** They describe the bytes that the target sent (RFC 9110 §8.8, RFC 9530, RFC 1864, vendors'): untrue once a byte changed. */
const ofOriginalBytes = new Set([
  'content-length',
  'etag',
  'last-modified',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'accept-ranges',
  'x-goog-hash',
  'x-goog-stored-content-length',
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-ms-content-crc64',
  'x-uncompressed-content-length',
  'x-decompressed-content-length',
  'signature',
  'signature-input',
]);

/** Which items of how many (PostgREST: `0-24/3573`) stays true; which bytes of how many does not. */
const itemRange = /^(?:(?!bytes)[a-z]{1,20}[ =])?(?:[0-9]{1,15}-[0-9]{1,15}|\*)\/(?:[0-9]{1,15}|\*)$/i;

const isUntrue = ([name, value]: HeaderList[number]): boolean =>
  ofOriginalBytes.has(name) || (name === 'content-range' && !itemRange.test(value));

/** Drops what no longer describes the body. */
export const withoutOriginal = (headers: HeaderList): HeaderList => headers.filter((header) => !isUntrue(header));

/** For a body that leaves decoded, and in UTF-8 where it is masked. */
export function headersOfChanged(headers: HeaderList, isMasked: boolean): HeaderList {
  const kept: HeaderList = [];
  for (const header of headers) {
    const [name, value] = header;
    if (name === 'content-encoding' || isUntrue(header)) continue;
    if (isMasked && name === 'content-type') {
      const said = inUtf8(value);
      kept.push(said === value ? header : [name, said]);
    } else kept.push(header);
  }
  return kept;
}

const saidInUtf8 = new Map<string, string>();
const maxSaid = 256;

/** Masked bodies leave in UTF-8; text types that had no charset get it as a parameter. */
function inUtf8(value: string): string {
  let said = saidInUtf8.get(value);
  if (said === undefined) {
    said = value.replace(/(;\s*charset\s*=\s*)(?:"[^"]*"|[^;\s]+)/gi, '$1utf-8');
    if (said === value && /^\s*(?:text\/|application\/(?:xml|xhtml))/i.test(value) && !/charset/i.test(value))
      said = `${value}; charset=utf-8`;
    if (saidInUtf8.size >= maxSaid) saidInUtf8.clear();
    saidInUtf8.set(value, said);
  }
  return said;
}

/** Scrubs the credential from values (and names), and applies the rules to values: a key rule selects a header by its name. */
export function maskHeaderValues(
  headers: HeaderList,
  engine: Engine | null,
  scrub: Scrubber | null,
  report: Tally & { credentialReflected: boolean },
): HeaderList {
  if (engine === null && scrub === null) return headers;
  let masked: HeaderList | null = null;
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!;
    const kept = maskOne(header, engine, scrub, report);
    if (masked === null && kept !== header) masked = headers.slice(0, i);
    if (masked !== null && kept !== null) masked.push(kept);
  }
  return masked ?? headers;
}

/** The same header where it stays as it is; null where it is removed. */
function maskOne(
  header: HeaderList[number],
  engine: Engine | null,
  scrub: Scrubber | null,
  report: Tally & { credentialReflected: boolean },
): HeaderList[number] | null {
  const [name, original] = header;
  let value = original;
  if (scrub !== null) {
    value = scrub.text(original);
    if (value.includes('\\')) value = scrubbedQuotedPairs(value, scrub);
    const isNameClean = scrub.isCleanName(name);
    if (value !== original || !isNameClean) report.credentialReflected = true;
    if (!isNameClean) return null;
  }
  if (engine !== null) {
    const replaced = maskHeaderValue(name, value, engine, report);
    if (replaced === null) return null;
    value = replaced;
  }
  return value === original ? header : [name, value];
}

/** Quoted pairs (RFC 9110 §5.6.4) may stand within the secret: then the value goes on without them, and scrubbed. */
function scrubbedQuotedPairs(value: string, scrub: Scrubber): string {
  const plain = value.replaceAll(/\\(.)/g, '$1');
  const scrubbed = scrub.text(plain);
  return scrubbed === plain ? value : scrubbed;
}
