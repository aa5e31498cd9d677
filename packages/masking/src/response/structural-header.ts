/** Headers with a grammar that has no room for data: where a value keeps to the grammar, rules do not look at the value. */

const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;
const names = /^[A-Za-z*][\w*-]{0,60}(?:, ?[A-Za-z*][\w*-]{0,60})*$/;
const directives = /^[a-z-]{1,40}(?:=(?:\d{1,10}|"[a-z, -]{0,100}"))?(?:, ?[a-z-]{1,40}(?:=(?:\d{1,10}|"[a-z, -]{0,100}"))?)*$/i;
const products =
  /^[A-Za-z][\w.-]{0,40}(?:\/[\w.+-]{1,20})?(?: (?:\([A-Za-z][\w .;:+-]{0,40}\)|[A-Za-z][\w.-]{0,40}(?:\/[\w.+-]{1,20})?))*$/;
const itemRange = /^(?:[a-z]{1,20}[ =])?(?:\d{1,15}-\d{1,15}|\*)\/(?:\d{1,15}|\*)$/i;

/** `type/subtype` alone; with parameters there is text in it. */
const bareType = /^[a-z]{1,20}\/[a-z][\w.+-]{0,60}$/i;

const grammars: ReadonlyMap<string, readonly RegExp[]> = new Map([
  ['content-type', [bareType]],
  ['content-length', [/^\d{1,15}$/]],
  ['content-encoding', [names]],
  ['content-range', [itemRange]],
  ['date', [httpDate]],
  ['expires', [httpDate, /^(?:0|-1)$/]],
  ['last-modified', [httpDate]],
  ['retry-after', [/^\d{1,10}$/, httpDate]],
  ['age', [/^\d{1,10}$/]],
  ['etag', [/^(?:W\/)?"[\w+/=.:;,~-]{0,128}"$/]],
  ['vary', [names]],
  ['allow', [names]],
  ['accept-ranges', [names]],
  ['trailer', [names]],
  ['cache-control', [directives]],
  ['server', [products]],
]);

const maxLength = 512;
const manyDigits = /\d{7}/;

/** By name: the last value that kept to the grammar. Most come again with every response. */
const kept = new Map<string, string>();

export function isStructural(name: string, value: string): boolean {
  const grammar = grammars.get(name);
  if (grammar === undefined) return false;
  if (kept.get(name) === value) return true;
  if (value.length > maxLength || !grammar.some((one) => one.test(value))) return false;
  // a name or a product that is a number of something
  if ((grammar[0] === names || grammar[0] === products) && manyDigits.test(value)) return false;
  kept.set(name, value);
  return true;
}
