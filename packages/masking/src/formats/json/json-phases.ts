/** The phases of a document: the token expected next; from IN_STRING on, a token that began in an earlier chunk. */
export const TOP = 0;
export const VALUE = 1;
export const FIRST_ELEMENT = 2;
export const FIRST_KEY = 3;
export const KEY = 4;
export const COLON = 5;
export const AFTER = 6;
export const IN_STRING = 7;
export const IN_KEY = 8;
export const IN_BARE = 9;

export const QUOTE = 0x22;
