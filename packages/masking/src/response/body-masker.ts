import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';

import type { Engine } from '../engine.ts';
import { Malformed } from '../formats/machine.ts';
import { enterWorkplace } from '../formats/workplace.ts';
import type { Workplace } from '../formats/workplace.ts';
import type { ScrubStream } from '../scrubber/scrub-stream.ts';
import type { MediaType } from '@hoop/contract';
import type { Format } from './content-type.ts';
import type { MaskingReport, ResponseMasker, ResponseMaskerInput } from './response-masker.ts';
import { maskHeaderValues, withoutOriginal } from './response-headers.ts';

/** How the body is masked. */
export interface BodyPlan {
  readonly engine: Engine;
  readonly format: Format;
  readonly type: MediaType;
}

/** Scrubs, then masks, one decoded body. */
export class BodyMasker implements ResponseMasker {
  readonly headers: HeaderList;
  readonly passthrough = false;
  readonly refusal = null;
  readonly report: MaskingReport;
  isOver = false;
  readonly #input: ResponseMaskerInput;
  readonly #engine: Engine | null;
  /** The body leaves in other bytes than the target's, of which trailers could be digests. */
  readonly #isChanged: boolean;
  /** Null: the body is only scrubbed. */
  #place: Workplace | null = null;
  readonly #scrub: ScrubStream | null;
  #read = 0;

  /** `engine`: for the trailers, also where the body is not masked. Throws as `createMachine` does. */
  constructor(
    input: ResponseMaskerInput,
    headers: HeaderList,
    report: MaskingReport,
    engine: Engine | null,
    plan: BodyPlan | null,
    isChanged: boolean,
  ) {
    this.headers = headers;
    this.report = report;
    this.#input = input;
    this.#engine = engine;
    this.#isChanged = isChanged;
    this.#scrub = input.scrub === null ? null : input.scrub.stream();
    if (plan !== null) this.#place = enterWorkplace({ ...plan, unmaskedContentTypes: input.unmaskedContentTypes });
  }

  write(chunk: Uint8Array): boolean {
    if (this.isOver || chunk.length === 0) return true;
    this.#read += chunk.length;
    if (this.#scrub === null) return this.#mask(chunk);
    const bytes = this.#scrub.write(chunk);
    if (this.#scrub.isExhausted) {
      this.#cut(new Malformed(this.#read, 'the credential cannot be looked for in it with the work that a body may take'));
      return true;
    }
    return bytes === null || this.#mask(bytes);
  }

  end(trailers: HeaderList = []): void {
    if (this.isOver) return;
    if (this.#scrub !== null) {
      const rest = this.#scrub.end();
      if (rest !== null) this.#mask(rest);
      if (this.#scrub.found) this.report.credentialReflected = true;
    }
    if (this.isOver) return;
    const place = this.#place;
    if (place !== null && this.#read > 0) {
      try {
        place.machine.end();
      } catch (error) {
        this.#cut(error);
        return;
      }
      this.#release(this.#taken(place));
    }
    this.isOver = true;
    this.#place = null;
    place?.leave();
    const kept = this.#isChanged ? withoutOriginal(trailers) : trailers;
    this.#input.sink.end(kept.length === 0 ? kept : maskHeaderValues(kept, this.#engine, this.#input.scrub, this.report));
  }

  abort(): void {
    this.isOver = true;
    if (this.#scrub?.found === true) this.report.credentialReflected = true;
  }

  /** Nothing waits here: what the sink does not take at once is its own. */
  resume(): void {}

  /** The body cannot be decoded. */
  fail(reason: string): void {
    if (!this.isOver) this.#cut(new Malformed(this.#read, reason));
  }

  #mask(bytes: Uint8Array): boolean {
    const place = this.#place;
    if (place === null) return this.#release(bytes);
    try {
      place.machine.write(bytes);
    } catch (error) {
      this.#cut(error);
      return true;
    }
    return this.#release(this.#taken(place));
  }

  #taken({ out, tally, work }: Workplace): Uint8Array | null {
    this.report.hiddenValues = work.hiddenValues;
    this.report.maskedCount += tally.maskedCount;
    tally.maskedCount = 0;
    return out.take();
  }

  #release(bytes: Uint8Array | null): boolean {
    if (bytes === null) return true;
    this.report.releasedBytes += bytes.length;
    return this.#input.sink.data(bytes) !== false;
  }

  #cut(error: unknown): void {
    this.isOver = true;
    if (this.#scrub?.found === true) this.report.credentialReflected = true;
    if (this.#place !== null) {
      this.report.maskedCount += this.#place.tally.maskedCount;
      this.report.hiddenValues = this.#place.work.hiddenValues;
    }
    const malformed = error instanceof Malformed ? error : new Malformed(this.#read, 'the masker failed');
    this.report.cut = { at: malformed.at, reason: malformed.reason };
    this.#input.sink.error(
      new AppError('unmaskable_response', `The response was cut because it cannot be masked: ${malformed.message}.`, {
        extras: { at: malformed.at, reason: malformed.reason },
        cause: error,
      }),
    );
  }
}
