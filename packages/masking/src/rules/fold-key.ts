/** Key names are compared folded: case, `snake_case`, `camelCase` and separators mean nothing. */

const separators = /[\s\p{Pd}\p{Pc}\p{Cf}.·]/gu;

/** `Card-Number`, `card_number`, `cardNumber` and full-width forms all become `cardnumber`. NFKC, then lower case. */
export const foldKey = (name: string): string => name.normalize('NFKC').toLowerCase().replace(separators, '');
