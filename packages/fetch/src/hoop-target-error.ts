/**
 * The request's URL is not one that a connection serves, or more than one does.
 * The message says what to do. The request was not sent.
 */
export class HoopTargetError extends TypeError {
  override readonly name: string = 'HoopTargetError';
  readonly code = 'target_unmanaged';
  /** The URL without its query, which may hold secrets. */
  readonly target: string;

  constructor(url: URL, problem: string) {
    const target = url.origin === 'null' ? `${url.protocol}…` : `${url.origin}${url.pathname}`;
    super(`${target}: ${problem}`);
    this.target = target;
  }
}
