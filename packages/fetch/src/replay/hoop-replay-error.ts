/** A call that the HAR does not hold, or a HAR that cannot be replayed. Nothing was sent anywhere. */
export class HoopReplayError extends Error {
  override readonly name: string = 'HoopReplayError';
  /** `har_invalid`: it is not HAR 1.2 · `not_recorded`: no such call is in it, or all such calls were answered already. */
  readonly code: 'har_invalid' | 'not_recorded';

  constructor(code: HoopReplayError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
