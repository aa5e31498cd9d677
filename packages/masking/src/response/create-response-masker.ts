/** One response through the masker: head first, then the body as it arrives. */
import { AppError, parseMediaType } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';

import { createDecoder, parseCodings } from '../decoding/content-decoder.ts';
import type { Decoder } from '../decoding/content-decoder.ts';
import type { Engine } from '../engine.ts';
import { BodyMasker } from './body-masker.ts';
import type { BodyPlan } from './body-masker.ts';
import { PacedBody } from './paced-body.ts';
import type { Pace } from './pace.ts';
import { formatOf, isListed } from './content-type.ts';
import type { MaskingReport, MaskingSink, ResponseMasker, ResponseMaskerInput } from './response-masker.ts';
import { headersOfChanged, maskHeaderValues, withoutOriginal } from './response-headers.ts';

function engineOf({ masking, identity, observer = null }: ResponseMaskerInput): Engine | null {
  const engine = masking?.engineFor(identity) ?? null;
  return engine === null || observer === null ? engine : { ...engine, observer };
}

/**
 * Throws `unmaskable_response` where the head shows that a body comes which cannot be masked. Where the head leaves it
 * open whether there is a body at all, the masker has a `refusal`, for the first byte that comes.
 */
export function createResponseMasker(input: ResponseMaskerInput): ResponseMasker {
  const { headers, scrub } = input;
  const engine = engineOf(input);
  const report: MaskingReport = { maskedCount: 0, credentialReflected: false, hiddenValues: 0, releasedBytes: 0, cut: null };
  if (engine === null && scrub === null) return new Untouched(input, headers, report, null);
  const masked = maskHeaderValues(headers, engine, scrub, report);
  if (isBodiless(input)) return new Untouched(input, engine === null ? masked : withoutOriginal(masked), report, engine);
  try {
    const codings = codingsOf(headers, engine !== null);
    const plan = engine === null ? null : planBody(input, engine);
    const isChanged = plan !== null || codings.length > 0;
    const body = new BodyMasker(input, isChanged ? headersOfChanged(masked, plan !== null) : masked, report, engine, plan, isChanged);
    if (codings.length > 0) return decoded(codings, body, input);
    return input.pace === undefined || plan === null ? body : paced(body, input.pace, input.sink);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unmaskable_response' || announcesBody(headers)) throw error;
    return new Withheld(input, engine === null ? masked : withoutOriginal(masked), report, engine, error);
  }
}

function paced(body: BodyMasker, pace: Pace, sink: MaskingSink): ResponseMasker {
  const pieces = new PacedBody(body, pace, () => sink.drain());
  return {
    headers: body.headers,
    passthrough: false,
    refusal: null,
    report: body.report,
    write: (chunk) => body.isOver || pieces.write(chunk),
    end: (trailers) => pieces.end(trailers),
    abort: () => body.abort(),
    resume: () => undefined,
  };
}

function decoded(codings: readonly string[], body: BodyMasker, { pace, sink }: ResponseMaskerInput): ResponseMasker {
  let trailers: HeaderList | undefined;
  const pieces = pace === undefined ? body : new PacedBody(body, pace, () => decoder.resume());
  const decoder: Decoder = createDecoder(codings, {
    data: (chunk) => pieces.write(chunk) && !body.isOver,
    end: () => pieces.end(trailers),
    error: (reason) => body.fail(reason),
    drain: () => sink.drain(),
  });
  return {
    headers: body.headers,
    passthrough: false,
    refusal: null,
    report: body.report,
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

/** A body that is neither changed nor looked at. */
class Untouched implements ResponseMasker {
  readonly headers: HeaderList;
  readonly passthrough = true;
  readonly refusal = null;
  readonly report: MaskingReport;
  readonly #input: ResponseMaskerInput;
  readonly #engine: Engine | null;

  constructor(input: ResponseMaskerInput, headers: HeaderList, report: MaskingReport, engine: Engine | null) {
    this.headers = headers;
    this.report = report;
    this.#input = input;
    this.#engine = engine;
  }

  write(chunk: Uint8Array): boolean {
    this.report.releasedBytes += chunk.length;
    return this.#input.sink.data(chunk) !== false;
  }

  end(trailers: HeaderList = []): void {
    this.#input.sink.end(maskHeaderValues(trailers, this.#engine, this.#input.scrub, this.report));
  }

  abort(): void {}

  resume(): void {
    this.#input.sink.drain();
  }
}

/** A body that may be empty, and cannot be masked where it is not. */
class Withheld implements ResponseMasker {
  readonly headers: HeaderList;
  readonly passthrough = false;
  readonly refusal: AppError;
  readonly report: MaskingReport;
  readonly #input: ResponseMaskerInput;
  readonly #engine: Engine | null;
  #isOver = false;

  constructor(input: ResponseMaskerInput, headers: HeaderList, report: MaskingReport, engine: Engine | null, refusal: AppError) {
    this.headers = headers;
    this.refusal = refusal;
    this.report = report;
    this.#input = input;
    this.#engine = engine;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isOver || chunk.length === 0) return true;
    this.#isOver = true;
    this.report.cut = { at: 0, reason: this.refusal.detail };
    this.#input.sink.error(this.refusal);
    return true;
  }

  end(trailers: HeaderList = []): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#input.sink.end(maskHeaderValues(trailers, this.#engine, this.#input.scrub, this.report));
  }

  abort(): void {
    this.#isOver = true;
  }

  resume(): void {}
}

const announcesBody = (headers: HeaderList): boolean => headers.some(([name, value]) => name === 'content-length' && !/^0+$/.test(value));

/** RFC 9110 §6.4.1. */
function isBodiless({ requestMethod, status, headers }: ResponseMaskerInput): boolean {
  if (requestMethod === 'HEAD' || status < 200 || status === 204 || status === 304) return true;
  let isEmpty = false;
  for (const [name, value] of headers) {
    if (name === 'transfer-encoding') return false;
    if (name === 'content-length' && /^0+$/.test(value)) isEmpty = true;
  }
  return isEmpty;
}

const noCodings: readonly string[] = [];

function codingsOf(headers: HeaderList, masks: boolean): readonly string[] {
  const values = valuesOf(headers, 'content-encoding');
  if (values.length === 0) return noCodings;
  const codings = parseCodings(values);
  if (codings === null) {
    throw unmaskable(
      `The response has the content coding ${JSON.stringify(values.join(', '))}, which cannot be undone, so ${masks ? 'it cannot be masked' : 'it cannot be searched for the credential'}.`,
    );
  }
  return codings;
}

/** Null: the type may pass as it is. */
function planBody(input: ResponseMaskerInput, engine: Engine): BodyPlan | null {
  const values = valuesOf(input.headers, 'content-type');
  const type = values.length === 1 ? parseMediaType(values[0]!) : null;
  if (type === null) {
    throw unmaskable(
      values.length === 0
        ? 'The response does not say its content type, so it cannot be masked.'
        : 'The content type of the response is not valid or not unique, so the response cannot be masked.',
    );
  }
  const format = formatOf(type.essence);
  if (input.status === 206) throw unmaskable('The response is partial (206), and a part cannot be masked.');
  if (format !== undefined) return { engine, format, type };
  if (isListed(type.essence, input.unmaskedContentTypes)) return null;
  throw unmaskable(
    `The response has the content type ${type.essence}, which cannot be masked; unmaskedContentTypes of the connection can let it pass.`,
  );
}

const noValues: readonly string[] = [];

function valuesOf(headers: HeaderList, wanted: string): readonly string[] {
  let values: string[] | null = null;
  for (const [name, value] of headers) if (name === wanted) (values ??= []).push(value);
  return values ?? noValues;
}

function unmaskable(detail: string): AppError {
  return new AppError('unmaskable_response', detail);
}
