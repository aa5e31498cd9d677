/** Source of the client that is generated from an OpenAPI document. */
import openapiTypescript, { astToString, type OpenAPI3 } from 'openapi-typescript';

const banner = '/** Generated from openapi.json by scripts/openapi.ts: change the contract, not this file. */\n';

/** Files of `packages/client`, by path. */
export async function generateClient(document: unknown): Promise<Record<string, string>> {
  const ast = await openapiTypescript(successesOf(document as Document) as unknown as OpenAPI3, {
    silent: true,
    defaultNonNullable: false,
  });
  return {
    'packages/client/src/generated/api.ts': banner + astToString(ast),
    'packages/client/src/generated/routes.ts': banner + routesOf(document as Document),
  };
}

interface Described {
  readonly operationId: string;
  readonly requestBody?: { readonly content: object };
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

/** A copy without what the client's types do not say: every refusal is a `Problem`, and it hands out no headers. */
function successesOf(document: Document): Document {
  const copy = structuredClone(document) as { paths: Record<string, Record<string, { responses: object }>> };
  for (const methods of Object.values(copy.paths)) {
    for (const operation of Object.values(methods)) {
      const successes = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
      operation.responses = Object.fromEntries(successes.map(([status, { headers: _, ...response }]) => [status, response]));
    }
  }
  return copy as unknown as Document;
}

/** The parts of a request that are needed at run time, by operation id. */
function routesOf({ paths }: Document): string {
  const entries = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, requestBody, responses }]) => {
      const type = Object.keys(requestBody?.content ?? {})[0];
      const status = Object.keys(responses).find((one) => one.startsWith('2'));
      const members = [
        `method: '${method.toUpperCase()}'`,
        `path: '${path}'`,
        `status: ${status}`,
        ...(type === undefined ? [] : [`type: '${type}'`]),
      ];
      return `  ${operationId}: { ${members.join(', ')} },\n`;
    }),
  );
  return `export const routes = {\n${entries.toSorted().join('')}} as const;\n`;
}
