import { describe, expect, it } from 'vitest';

import { errorKinds } from './errors.ts';
import { errorsOf, openApiDocument } from './openapi.ts';
import { operations } from './operations/index.ts';

const document = openApiDocument() as any;

/** A schema without its reference, or the branches of a union. */
function resolve(schema: any): any[] {
  if (schema.$ref !== undefined) return resolve(document.components.schemas[schema.$ref.split('/').pop()]);
  return schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap(resolve);
}

describe('the description of the API', () => {
  it('has every operation once, with a path and an id of its own', () => {
    expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
    expect(new Set(operations.map(({ method, path }) => `${method} ${path}`)).size).toBe(operations.length);
    for (const { id, method, path } of operations) expect(document.paths[path][method.toLowerCase()].operationId).toBe(id);
  });

  it('refers to nothing that is not there, and has nothing that is not referred to', () => {
    const text = JSON.stringify(document);
    const refs = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]));
    expect([...refs].toSorted()).toEqual(Object.keys(document.components.schemas).toSorted());
  });

  it('describes every parameter of every path', () => {
    for (const { method, path } of operations) {
      const { parameters } = document.paths[path][method.toLowerCase()];
      const inPath = parameters.filter((one: any) => one.in === 'path').map((one: any) => one.name);
      expect(inPath.toSorted()).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).toSorted());
    }
  });

  it('does not ask in requests for what has a default, and promises it in responses', () => {
    const { ConnectionInput, Connection } = document.components.schemas;
    expect(ConnectionInput.required).toEqual(['target', 'name']);
    expect(Connection.required).toContain('allowedCidrs');
  });

  it('says that requests take no unknown field', () => {
    for (const operation of operations) {
      const body = document.paths[operation.path][operation.method.toLowerCase()].requestBody?.content['application/json'];
      if (body === undefined) continue;
      for (const one of resolve(body.schema)) expect(one.additionalProperties, operation.id).toBe(false);
    }
  });

  it('documents every error of every operation under its status', () => {
    for (const operation of operations) {
      const { responses } = document.paths[operation.path][operation.method.toLowerCase()];
      const isOAuth = operation.path.startsWith('/oauth/');
      for (const code of errorsOf(operation)) {
        const { status } = errorKinds[code];
        expect(responses[isOAuth && status < 405 ? 400 : status].description, `${operation.id} ${code}`).toContain(`\`${code}\``);
      }
    }
  });

  it('marks what needs which credential', () => {
    expect(document.paths['/v1/identities'].get.security).toEqual([{ adminToken: [] }]);
    expect(document.paths['/internal/relay/snapshot'].get.security).toEqual([{ relayToken: [] }]);
    expect(document.paths['/oauth/token'].post.security).toEqual([]);
  });

  it('never has a secret in what is returned', () => {
    const { CredentialSource, AdminToken } = document.components.schemas;
    expect(JSON.stringify(CredentialSource)).not.toMatch(/sealed"|secret"|clientSecret|privateKey/);
    expect(Object.keys(AdminToken.properties)).not.toContain('token');
  });
});
