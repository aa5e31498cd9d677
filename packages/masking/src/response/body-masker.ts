import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';

import type { Engine } from '../engine.ts';
import { createMachine } from '../formats/create-machine.ts';
import { Malformed } from '../formats/machine.ts';
import type { Machine } from '../formats/machine.ts';
import { Output } from '../output.ts';
import type { ScrubStream } from '../scrubber/scrubber.ts';
import type { Format, MediaType } from './content-type.ts';
import type { ResponseMaskerInput } from './create-response-masker.ts';

export interface MaskingReport {
  /** Places that the rules changed, in headers, body and trailers. */
  maskedCount: number;
  /** The injected credential was found and overwritten. */
  credentialReflected: boolean;
  /** Bytes that were let out. */
  releasedBytes: number;
  /** Why and where (offset in the decoded body) the body was cut; null where it was not. */
  cut: { readonly at: number; readonly reason: string } | null;
}

export interface MaskingSink {
  /** Masked bytes; the memory is the sink's. Returning false asks to pause until `resume()`. */
  data(chunk: Uint8Array): boolean | void;
  end(trailers: HeaderList): void;
  /** The body cannot go on; what was released is all there will be. */
  error(error: AppError): void;
  /** After `write` returned false: write again. */
  drain(): void;
}

export interface BodyMaskerInput {
  readonly engine: Engine | null;
  readonly format: Format | null;
  readonly type: MediaType | null;
  readonly input: ResponseMaskerInput;
  readonly report: MaskingReport;
  readonly maskTrailers: (trailers: HeaderList) => HeaderList;
}

/** Scrubs, then masks, one decoded body. */
export class BodyMasker {
  isOver = false;
  readonly #out = new Output();
  readonly #machine: Machine | null;
  readonly #scrub: ScrubStream | null;
  readonly #report: MaskingReport;
  readonly #input: ResponseMaskerInput;
  readonly #maskTrailers: (trailers: HeaderList) => HeaderList;
  #read = 0;

  constructor({ engine, format, type, input, report, maskTrailers }: BodyMaskerInput) {
    this.#report = report;
    this.#input = input;
    this.#maskTrailers = maskTrailers;
    this.#scrub = input.scrub?.stream() ?? null;
    this.#machine = null;
    if (engine === null || format === null) return;
    const { unmaskedContentTypes } = input;
    this.#machine = createMachine({ engine, format, type: type!, out: this.#out, tally: report, unmaskedContentTypes });
  }

  write(chunk: Uint8Array): boolean {
    if (this.isOver || chunk.length === 0) return true;
    this.#read += chunk.length;
    let bytes: Uint8Array | null = chunk;
    if (this.#scrub !== null) bytes = this.#scrub.write(chunk);
    return bytes === null || this.#mask(bytes);
  }

  end(trailers: HeaderList = []): void {
    if (this.isOver) return;
    if (this.#scrub !== null) {
      const rest = this.#scrub.end();
      if (rest !== null) this.#mask(rest);
      if (this.#scrub.found) this.#report.credentialReflected = true;
    }
    if (this.isOver) return;
    if (this.#machine !== null && this.#read > 0) {
      try {
        this.#machine.end();
      } catch (error) {
        this.#cut(error);
        return;
      }
      this.#release(this.#out.take());
    }
    this.isOver = true;
    this.#input.sink.end(this.#maskTrailers(trailers));
  }

  abort(): void {
    this.isOver = true;
    if (this.#scrub?.found === true) this.#report.credentialReflected = true;
  }

  /** The body cannot be decoded. */
  fail(reason: string): void {
    if (!this.isOver) this.#cut(new Malformed(this.#read, reason));
  }

  #mask(bytes: Uint8Array): boolean {
    const machine = this.#machine;
    if (machine === null) return this.#release(bytes);
    try {
      machine.write(bytes);
    } catch (error) {
      this.#cut(error);
      return true;
    }
    return this.#release(this.#out.take());
  }

  #release(bytes: Uint8Array | null): boolean {
    if (bytes === null) return true;
    this.#report.releasedBytes += bytes.length;
    return this.#input.sink.data(bytes) !== false;
  }

  #cut(error: unknown): void {
    this.isOver = true;
    if (this.#scrub?.found === true) this.#report.credentialReflected = true;
    const malformed = error instanceof Malformed ? error : new Malformed(this.#read, 'the masker failed');
    this.#report.cut = { at: malformed.at, reason: malformed.reason };
    this.#input.sink.error(
      new AppError('unmaskable_response', `The response was cut because it cannot be masked: ${malformed.message}.`, { extras: { at: malformed.at, reason: malformed.reason }, cause: error }),
    );
  }
}
