/** The stored log is not what it was: somebody changed its rows. Nothing may be appended until a person has looked. */
export class LogTampered extends Error {
  override readonly name = 'LogTampered';
}
