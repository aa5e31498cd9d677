/**
 * The numbering plans of libphonenumber as one expression per calling code. Parsing a number with the library takes
 * ten microseconds, which a stream cannot spend on each; its answers and these agree (there is a test).
 */
import metadata from 'libphonenumber-js/metadata.max';

/** [0] calling code, [2] national pattern, [3] lengths, [11] patterns by type; zeros where there is none. */
type Plan = readonly unknown[];

const plans = new Map<string, RegExp>();

function collect(): Map<string, Plan[]> {
  const byCode = new Map<string, Plan[]>();
  const {
    countries,
    nonGeographic,
    country_calling_codes: owners,
  } = metadata as unknown as {
    countries: Record<string, Plan>;
    nonGeographic: Record<string, Plan>;
    // the country that has most of a code's numbers comes first
    country_calling_codes: Record<string, string[]>;
  };
  for (const [code, names] of Object.entries(owners))
    byCode.set(
      code,
      names.flatMap((name) => (countries[name] === undefined ? [] : [countries[name]])),
    );
  for (const plan of Object.values(nonGeographic)) byCode.set(String(plan[0]), [...(byCode.get(String(plan[0])) ?? []), plan]);
  return byCode;
}

const byCode = collect();

function expressionOf(code: string): RegExp {
  let expression = plans.get(code);
  if (expression === undefined) {
    const forms: string[] = [];
    for (const plan of byCode.get(code) ?? []) {
      const types = Array.isArray(plan[11]) ? (plan[11] as unknown[]) : [];
      const patterns = types.flatMap((type) => (Array.isArray(type) && typeof type[0] === 'string' && type[0] !== '' ? [type[0]] : []));
      const whole = `(?=(?:${String(plan[2])})$)`;
      forms.push(patterns.length === 0 ? whole : `${whole}(?:${patterns.join('|')})`);
    }
    expression = new RegExp(`^(?:${forms.join('|')})$`);
    plans.set(code, expression);
  }
  return expression;
}

/** By the first three digits: the calling code's expression, and how long the code is; null where there is none. */
const byStart = new Map<string, { readonly expression: RegExp; readonly length: number } | null>();

function planAt(start: string): { readonly expression: RegExp; readonly length: number } | null {
  for (let length = 1; length <= 3; length++) {
    const code = start.slice(0, length);
    if (byCode.has(code)) return { expression: expressionOf(code), length };
  }
  return null;
}

/** Whether the digits of an international number (E.164, without "+") are a number that its plan has. */
export function isInternationalNumber(digits: string): boolean {
  const start = digits.slice(0, 3);
  let plan = byStart.get(start);
  if (plan === undefined) byStart.set(start, (plan = planAt(start)));
  return plan !== null && digits.length - plan.length >= 4 && digits.length <= 15 && plan.expression.test(digits.slice(plan.length));
}

/** Digits of the longest prefix that is dialled before a national number: a trunk prefix, a carrier's code. */
const longestPrefix = 7;

/** Whether the plan of this calling code has the number as it is written, without a prefix. */
export const isNationalNumber = (code: string, digits: string): boolean =>
  digits.length >= 4 && digits.length + code.length <= 15 && expressionOf(code).test(digits);

/** False: with any prefix removed, the plan has no such number. */
export function mayBeNational(code: string, digits: string): boolean {
  for (let prefix = 0; prefix <= longestPrefix && digits.length - prefix >= 4; prefix++)
    if (isNationalNumber(code, digits.slice(prefix))) return true;
  return false;
}
