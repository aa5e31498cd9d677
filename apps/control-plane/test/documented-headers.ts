/** Holds the headers of each response that a test gets against `openapi.json`. */
import { readFileSync } from 'node:fs';

interface Documented {
  readonly pattern: RegExp;
  /** By status; of each header whether it is always there. */
  readonly responses: Readonly<Record<string, ReadonlyMap<string, boolean>>>;
}

const document = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8'));
const known = Object.keys(document.components.headers).map((name) => name.toLowerCase());

const operations = new Map<string, Documented[]>();
for (const [path, methods] of Object.entries<Record<string, any>>(document.paths)) {
  // A path without parameters before one whose parameter would take its last segment.
  const pattern = new RegExp(`^${path.replaceAll('.', String.raw`\.`).replace(/\{\w+\}/g, '[^/]+')}$`);
  for (const [method, { responses }] of Object.entries(methods)) {
    const entry = { pattern, responses: Object.fromEntries(Object.entries(responses).map(([status, one]) => [status, headersOf(one)])) };
    const list = operations.get(method.toUpperCase()) ?? [];
    operations.set(method.toUpperCase(), path.includes('{') ? [...list, entry] : [entry, ...list]);
  }
}

function headersOf({ headers = {} }: any): Map<string, boolean> {
  return new Map(
    Object.entries<any>(headers).map(([name, { $ref }]) => [
      name.toLowerCase(),
      document.components.headers[$ref.split('/').pop()].required === true,
    ]),
  );
}

/** @throws Error where a documented header is missing, or one that the document knows is there and not documented */
export function expectDocumentedHeaders(method: string, path: string, response: Response): void {
  const operation = operations.get(method)?.find(({ pattern }) => pattern.test(path.split('?')[0]!));
  const documented = operation?.responses[response.status];
  if (documented === undefined) return;
  for (const name of known) {
    const isThere = response.headers.has(name);
    if (isThere && !documented.has(name))
      throw new Error(`${method} ${path} ${response.status} has ${name}, and openapi.json does not say so.`);
    if (!isThere && documented.get(name) === true)
      throw new Error(`${method} ${path} ${response.status} has no ${name}, and openapi.json promises it.`);
  }
}
