/** Removes request headers that would make a target's answer impossible to mask and scrub. */
import type { HeaderList } from '@hoop/contract';

import { knownCodings } from '../decoding/content-decoder.ts';
import type { Scrubber } from '../scrubber/scrubber.ts';
import type { CompiledMasking } from '../rules/compile-masking.ts';

const ofParts = new Set(['range', 'if-range']);
/** Validators that the function got were dropped, so these could only come from elsewhere and ask for another body. */
const ofValidators = new Set(['if-none-match', 'if-modified-since', 'a-im', 'want-content-digest', 'want-repr-digest', 'want-digest']);

/**
 * The request's headers for a connection whose responses are masked or scrubbed: no `Range` (RFC 9110 §14.2) with
 * rules, and only content codings that can be undone. Lower-case names in, and out.
 */
export function requestHeadersForMasking(headers: HeaderList, on: { masking: CompiledMasking | null; scrub: Scrubber | null }): HeaderList {
  if (on.masking === null && on.scrub === null) return headers;
  const masks = on.masking !== null && on.masking.rules.length > 0;
  const kept = headers.filter(([name]) => !(masks && (ofParts.has(name) || ofValidators.has(name))));
  return kept.map(([name, value]) => (name === 'accept-encoding' ? [name, acceptedCodings(value)] : [name, value]));
}

function acceptedCodings(value: string): string {
  const accepted = value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => [...knownCodings, 'x-gzip', 'identity'].includes(part.split(';')[0]!.trim().toLowerCase()));
  return accepted.length > 0 ? accepted.join(', ') : 'identity';
}
