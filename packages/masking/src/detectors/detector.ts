import type { Work } from '../text/work.ts';

/** A detector finds one kind of sensitive value inside a text, validates it and says where it is. */
export interface Detector {
  /** As rules name it. */
  readonly name: string;
  /** One sentence for people: what it finds and how it validates. */
  readonly summary: string;
  /** Byte classes that a text must all have (see `byte-classes.ts`), unless the key's context calls for a look. */
  readonly needs: number;
  /** Byte classes of which a text must have one. @default 0: none is needed */
  readonly needsOneOf: number;
  /** Characters that a text must have. */
  readonly minLength: number;
  /** ASCII digits that a text must have. @default 0 */
  readonly minDigits: number;
  /** Dots and colons that a text must have. @default 0 */
  readonly minDots?: number;
  readonly minColons?: number;
  /** Characters without a space among them that a text must have: longer words than prose has. @default 0 */
  readonly minWord: number;
  /** Shapes of `features.ts` of which a text must have one; 0: the detector looks without further tests. */
  readonly features: number;
  /** Bits of `key-context.ts`: with one of them the detector looks whatever the text is made of. @default 0 */
  readonly contexts: number;
  /**
   * Calls `found` for each place, UTF-16 offsets. `context` tells of the key under which the text stands. Its
   * expressions take a time that the text's length bounds; what it does besides is paid from `work`. Throws `OutOfSteps`.
   */
  find(text: string, context: number, found: (start: number, end: number) => void, work: Work): void;
  /** The same in `bytes[from, to)`, which are ASCII, with offsets from `from`: where it is faster than making a string. */
  findIn?(bytes: Uint8Array, from: number, to: number, context: number, found: (start: number, end: number) => void, work: Work): void;
  /** Values may go over the ends of lines. @default false */
  readonly goesOverLines?: boolean;
  /** Detectors that together are this one, each with tests of its own; `find` is then theirs. */
  readonly parts?: readonly Detector[];
}
