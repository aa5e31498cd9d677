/** No identity token could be had. The message says where it was looked for. The request was not sent. */
export class HoopTokenError extends TypeError {
  override readonly name: string = 'HoopTokenError';
  readonly code = 'token_unavailable';
}
