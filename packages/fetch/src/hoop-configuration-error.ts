/** An option or an environment variable is missing or not valid. The message names it. The request was not sent. */
export class HoopConfigurationError extends TypeError {
  override readonly name: string = 'HoopConfigurationError';
  readonly code = 'configuration_invalid';
}
