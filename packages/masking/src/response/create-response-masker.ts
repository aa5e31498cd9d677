/** One response through the masker: head first, then the body as it arrives. */
import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';

import { createDecoder, parseCodings } from '../decoding/content-decoder.ts';
import type { Engine } from '../engine.ts';
import type { MaskingIdentity } from '../rules/identity-condition.ts';
import type { CompiledMasking } from '../rules/compile-masking.ts';
import type { Scrubber } from '../scrubber/scrubber.ts';
import { BodyMasker } from './body-masker.ts';
import type { MaskingReport, MaskingSink } from './body-masker.ts';
import { formatOf, isListed, parseMediaType } from './content-type.ts';
import type { Format, MediaType } from './content-type.ts';
import { maskHeaderValues, withoutOriginal } from './response-headers.ts';
import type { JsonObserver } from '../formats/json/json-observer.ts';

export interface ResponseMaskerInput {
  /** Null: no rules. */
  readonly masking: CompiledMasking | null;
  /** For `unless`; absent: every rule applies. */
  readonly identity?: MaskingIdentity;
  /** Media types that may pass although they cannot be masked. */
  readonly unmaskedContentTypes: readonly string[];
  readonly requestMethod: string;
  readonly status: number;
  /** The target's, lower-case names. */
  readonly headers: HeaderList;
  /** Null: no credential was injected. */
  readonly scrub: Scrubber | null;
  readonly sink: MaskingSink;
  /** Sees fields that no rule covers (discovery). */
  readonly observer?: JsonObserver | null;
}

export interface ResponseMasker {
  /** What the function gets: masked, and without what no longer describes the body. */
  readonly headers: HeaderList;
  /** True: the body is neither changed nor looked at. */
  readonly passthrough: boolean;
  readonly report: MaskingReport;
  /** False: pause until `sink.drain()` is called. */
  write(chunk: Uint8Array): boolean;
  end(trailers?: HeaderList): void;
  /** The response broke off: nothing more goes out. */
  abort(): void;
  /** After `sink.data` returned false: go on. */
  resume(): void;
}

function engineOf({ masking, identity, observer = null }: ResponseMaskerInput): Engine | null {
  const engine = masking?.engineFor(identity) ?? null;
  return engine === null || observer === null ? engine : { ...engine, observer };
}

interface Plan {
  readonly engine: Engine | null;
  readonly format: Format | null;
  readonly type: MediaType | null;
}

/** Throws `unmaskable_response` where the head already shows that the body cannot be masked. */
export function createResponseMasker(input: ResponseMaskerInput): ResponseMasker {
  const { headers, scrub } = input;
  const engine = engineOf(input);
  const report: MaskingReport = { maskedCount: 0, credentialReflected: false, releasedBytes: 0, cut: null };
  if (engine === null && scrub === null) return passThrough(headers, report, input.sink);
  const masked = maskHeaderValues(headers, engine, scrub, report);
  if (isBodiless(input)) {
    return passThrough(engine === null ? masked : withoutOriginal(masked), report, input.sink, (trailers) => maskHeaderValues(trailers, engine, scrub, report));
  }
  const codings = codingsOf(headers, input.masking !== null && engine !== null);
  const plan = planBody(input, engine);
  let out = masked;
  if (plan.format !== null || codings.length > 0) {
    out = withoutOriginal(out).filter(([name]) => name !== 'content-encoding');
    if (plan.format !== null) out = out.map(([name, value]) => (name === 'content-type' ? [name, inUtf8(value)] : [name, value]));
  }
  const body = new BodyMasker({ ...plan, input, report, maskTrailers: (trailers) => maskHeaderValues(trailers, engine, scrub, report) });
  if (codings.length === 0) return { headers: out, passthrough: false, report, write: (c) => body.write(c), end: (t) => body.end(t), abort: () => body.abort(), resume: () => {} };
  return decoded(codings, body, out, report, input.sink);
}

function decoded(codings: readonly string[], body: BodyMasker, headers: HeaderList, report: MaskingReport, sink: MaskingSink): ResponseMasker {
  let trailers: HeaderList | undefined;
  const decoder = createDecoder(codings, {
    data: (chunk) => body.write(chunk) && !body.isOver,
    end: () => body.end(trailers),
    error: (reason) => body.fail(reason),
    drain: () => sink.drain(),
  });
  return {
    headers,
    passthrough: false,
    report,
    write: (chunk) => decoder.write(chunk),
    end(last) {
      trailers = last;
      decoder.end();
    },
    abort() {
      decoder.abort();
      body.abort();
    },
    resume: () => decoder.resume(),
  };
}

function passThrough(headers: HeaderList, report: MaskingReport, sink: MaskingSink, maskTrailers: (trailers: HeaderList) => HeaderList = (one) => one): ResponseMasker {
  return {
    headers,
    passthrough: true,
    report,
    write(chunk) {
      report.releasedBytes += chunk.length;
      return sink.data(chunk) !== false;
    },
    end: (trailers = []) => sink.end(maskTrailers(trailers)),
    abort() {},
    resume: () => sink.drain(),
  };
}

/** RFC 9110 §6.4.1. */
function isBodiless({ requestMethod, status, headers }: ResponseMaskerInput): boolean {
  if (requestMethod === 'HEAD' || status < 200 || status === 204 || status === 304) return true;
  return headers.some(([name, value]) => name === 'content-length' && /^0+$/.test(value)) && !headers.some(([name]) => name === 'transfer-encoding');
}

function codingsOf(headers: HeaderList, masks: boolean): readonly string[] {
  const values = headers.filter(([name]) => name === 'content-encoding').map(([, value]) => value);
  const codings = parseCodings(values);
  if (codings === null) {
    throw unmaskable(
      `The response has the content coding ${JSON.stringify(values.join(', '))}, which cannot be undone, so ${masks ? 'it cannot be masked' : 'the credential cannot be looked for in it'}.`,
    );
  }
  return codings;
}

function planBody(input: ResponseMaskerInput, engine: Engine | null): Plan {
  const nothing: Plan = { engine: null, format: null, type: null };
  if (engine === null) return nothing;
  const values = input.headers.filter(([name]) => name === 'content-type').map(([, value]) => value);
  const type = values.length === 1 ? parseMediaType(values[0]!) : null;
  if (type === null) {
    throw unmaskable(values.length === 0 ? 'The response does not say its content type, so it cannot be masked.' : 'The content type of the response is not valid or not unique, so the response cannot be masked.');
  }
  const format = formatOf(type.essence);
  if (input.status === 206) throw unmaskable('The response is partial (206), and a part cannot be masked.');
  if (format !== undefined) return { engine, format, type };
  if (isListed(type.essence, input.unmaskedContentTypes)) return nothing;
  throw unmaskable(`The response has the content type ${type.essence}, which cannot be masked; unmaskedContentTypes of the connection can let it pass.`);
}

/** Bodies leave in UTF-8 whatever they came in; text types that do not say their charset say it now. */
function inUtf8(value: string): string {
  const said = value.replace(/(;\s*charset\s*=\s*)(?:"[^"]*"|[^;\s]+)/gi, '$1utf-8');
  return said === value && /^\s*(?:text\/|application\/(?:xml|xhtml))/i.test(value) && !/charset/i.test(value) ? `${value}; charset=utf-8` : said;
}

function unmaskable(detail: string): AppError {
  return new AppError('unmaskable_response', detail);
}
