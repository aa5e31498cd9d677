import { z } from 'zod';

/** How the text of a variable is written, and the value that it stands for. Error texts continue the variable's name. */
export interface Form<T> {
  /** The form's name in the reference table. */
  readonly name: string;
  readonly schema: z.ZodType<T, string>;
  /** The variable names a file whose content is a secret. */
  readonly isSecret?: boolean;
}

/** Any text that is not empty. */
export const text: Form<string> = { name: 'text', schema: z.string() };

/** A URL of a server, which may hold a password: errors never repeat the text. */
export function connectionUrl(schemes: readonly string[]): Form<string> {
  const names = schemes.map((scheme) => `${scheme}//`);
  const isFine = (url: string): boolean => schemes.includes(URL.parse(url)?.protocol ?? '');
  return { name: 'URL', schema: z.string().refine(isFine, `must be a URL that starts with ${names.join(' or ')}.`) };
}

/** The path of a file (or folder) that is no secret. */
export const filePath: Form<string> = { name: 'file', schema: z.string() };

export const folderPath: Form<string> = { name: 'folder', schema: z.string() };

/** The path of a file that holds a secret. There is no form for a secret's text: secrets come by file only. */
export const secretFile: Form<string> = { name: 'file, secret', schema: z.string(), isSecret: true };

/** Decimal digits without sign. @param unit shown in the reference table, such as `milliseconds` */
export function wholeNumber(least: number, most: number, unit?: string): Form<number> {
  const isFine = (digits: string): boolean => /^\d+$/.test(digits) && Number(digits) >= least && Number(digits) <= most;
  return {
    name: `${unit ?? 'whole number'}, ${least} to ${most}`,
    schema: z.string().refine(isFine, `must be a whole number from ${least} to ${most}.`).transform(Number),
  };
}

/** @param sentence continues the variable's name where `isFine` is false or the text is no http or https URL */
export function httpUrl(isFine: (url: URL) => boolean, sentence: (given: string) => string): Form<string> {
  const check = (given: string): boolean => {
    const url = URL.parse(given);
    return url !== null && /^https?:$/.test(url.protocol) && isFine(url);
  };
  return { name: 'URL', schema: z.string().refine(check, { error: (issue) => sentence(String(issue.input)) }) };
}

export function oneOf<const T extends string>(values: readonly T[]): Form<T> {
  return { name: values.join(' or '), schema: z.enum(values, `must be ${values.join(' or ')}.`) as unknown as z.ZodType<T, string> };
}

/** Comma-separated; spaces around members do not count. */
export function listOf<T>(member: Form<T>): Form<T[]> {
  return {
    name: `list of ${member.name}`,
    schema: z
      .string()
      .transform((members) => members.split(',').map((one) => one.trim()))
      .pipe(z.array(member.schema)),
  };
}
