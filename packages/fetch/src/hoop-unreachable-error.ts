/**
 * Hoop's relay gave no answer: it cannot be reached, broke off, or something else answers at its URL. The message says which,
 * the `cause` is the platform's error. Whether the request arrived is not known.
 */
export class HoopUnreachableError extends TypeError {
  override readonly name: string = 'HoopUnreachableError';
  readonly code = 'relay_unreachable';
}
