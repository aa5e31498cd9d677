export { connectionUrl, filePath, folderPath, httpUrl, listOf, oneOf, secretFile, text, wholeNumber } from './forms.ts';
export type { Form } from './forms.ts';
export { listenerVariables, tlsOfListeners } from './listener.ts';
export type { TlsFiles } from './listener.ts';
export {
  ConfigurationError,
  notesOf,
  optional,
  present,
  readVariables,
  required,
  unknownVariables,
  unknownVariablesSentence,
  withDefault,
} from './variables.ts';
export type { Environment, VariableNotes, Variables } from './variables.ts';
