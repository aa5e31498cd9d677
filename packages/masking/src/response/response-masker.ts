/** The masker of one response, as the data path sees it. */
import type { AppError, HeaderList } from '@hoop/contract';

import type { FieldObserver } from '../formats/field-observer.ts';
import type { CompiledMasking } from '../rules/compile-masking.ts';
import type { MaskingIdentity } from '../rules/identity-condition.ts';
import type { Scrubber } from '../scrubber/scrubber.ts';
import type { Pace } from './pace.ts';

export interface MaskingReport {
  /** Places that the rules changed, in headers, body and trailers. */
  maskedCount: number;
  /** The injected credential was found and overwritten. */
  credentialReflected: boolean;
  /** Values that were hidden whole because to look into them would have cost too much (see docs/masking.md). */
  hiddenValues: number;
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
  readonly observer?: FieldObserver | null;
  /** Absent: the body is worked on as it comes. */
  readonly pace?: Pace;
}

export interface ResponseMasker {
  /** The headers that the function gets: masked, and without those that no longer describe the body. */
  readonly headers: HeaderList;
  /** True: the body is neither changed nor looked at. */
  readonly passthrough: boolean;
  /** Why the first byte of the body, if one comes, will be refused; until then the head should not leave. Null: it will not be. */
  readonly refusal: AppError | null;
  readonly report: MaskingReport;
  /** False: pause until `sink.drain()` is called. */
  write(chunk: Uint8Array): boolean;
  end(trailers?: HeaderList): void;
  /** The response broke off: nothing more goes out. */
  abort(): void;
  /** After `sink.data` returned false: go on. */
  resume(): void;
}
