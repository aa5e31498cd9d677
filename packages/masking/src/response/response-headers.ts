import type { HeaderList } from '@hoop/contract';

import { NONE, REMOVE, replaceText } from '../actions/action.ts';
import type { Engine } from '../engine.ts';
import type { Tally } from '../formats/machine.ts';
import type { Scrubber } from '../scrubber/scrubber.ts';

/** They describe the bytes that the target sent (RFC 9110 §8.8, RFC 9530, RFC 1864, vendors'): untrue once a byte changed. */
const ofOriginalBytes = new Set([
  'content-length', 'etag', 'last-modified', 'content-md5', 'digest', 'content-digest', 'repr-digest', 'accept-ranges', 'content-range', 'x-goog-hash',
  'x-goog-stored-content-length', 'x-amz-checksum-crc32', 'x-amz-checksum-crc32c', 'x-amz-checksum-crc64nvme', 'x-amz-checksum-sha1', 'x-amz-checksum-sha256', 'x-ms-content-crc64',
  'x-uncompressed-content-length', 'x-decompressed-content-length', 'signature', 'signature-input',
]);

/** Values with a grammar of their own that carry no data; detectors do not look at them. */
const structural = new Set([
  'content-type', 'content-encoding', 'content-length', 'transfer-encoding', 'connection', 'date', 'expires', 'last-modified', 'etag', 'age', 'vary', 'cache-control',
  'server', 'allow', 'retry-after', 'accept-ranges', 'strict-transport-security', 'trailer', 'upgrade', 'keep-alive', 'te', 'content-range',
]);

/** Drops what no longer describes the body. */
export const withoutOriginal = (headers: HeaderList): HeaderList => headers.filter(([name]) => !ofOriginalBytes.has(name));

/** Scrubs the credential from values (and names), and applies the rules to values: a key rule selects a header by its name. */
export function maskHeaderValues(headers: HeaderList, engine: Engine | null, scrub: Scrubber | null, report: Tally & { credentialReflected: boolean }): HeaderList {
  if (engine === null && scrub === null) return headers;
  const masked: HeaderList = [];
  for (const header of headers) {
    const [name, original] = header;
    let value = original;
    if (scrub !== null) {
      value = scrub.text(original);
      const cleanName = scrub.text(name);
      if (value !== original || cleanName !== name) report.credentialReflected = true;
      if (cleanName !== name) continue;
    }
    if (engine === null || structural.has(name)) {
      masked.push(value === original ? header : [name, value]);
      continue;
    }
    const replaced = maskHeader(name, value, engine, report);
    if (replaced !== null) masked.push([name, replaced]);
  }
  return masked;
}

/** Null: the header is removed. */
function maskHeader(name: string, value: string, engine: Engine, tally: Tally): string | null {
  const entry = engine.keys.named(name);
  const { action } = engine.root.member(entry);
  if (action !== NONE) {
    tally.maskedCount++;
    return action === REMOVE ? null : (replaceText(action, value, engine.hash) ?? '');
  }
  const found = engine.text?.mask(value, entry.context) ?? null;
  if (found === null) return value;
  tally.maskedCount += found.count;
  return found.text ?? '';
}
