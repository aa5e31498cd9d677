/**
 * Why a condition has no value. Not an Error: a quantifier may meet one per element, and a stack trace for each
 * would cost more than the evaluation.
 */
export class Fault {
  readonly message: string;
  /**
   * `value`: something is missing, of another type, or could be read in more than one way. `number`: a number of the
   * body has more digits than servers agree on. `masked`: the value was masked when the call was recorded, so that it
   * is not known. These can be outvoted in `&&`, `||`, `all` and `exists`. `body`: the body cannot be inspected;
   * `budget`: the evaluation cost too much. Both end the evaluation.
   */
  readonly kind: 'value' | 'number' | 'masked' | 'body' | 'budget';
  constructor(message: string, kind: Fault['kind'] = 'value') {
    this.message = message;
    this.kind = kind;
  }
}
