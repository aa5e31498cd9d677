/** Each call of the API in README.md and docs/ is one that `openapi.json` describes. */
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createClient } from '@hoop/client';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';

import { readmeCalls } from './readme-calls.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const document = JSON.parse(read('openapi.json'));

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, 'openapi.json');

interface Call {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Calls of curl: `api`, `ask` or `curl`, options, `$hoop/…` or `$HOOP_URL/…`, and JSON in single quotes. */
function curlCalls(markdown: string): Call[] {
  const command =
    /(?:\b(?:api|ask|curl)\b)((?:[ \t]+-[A-Za-z-]+(?:[ \t]+(?:'[^']*'|[A-Z]+\b))?)*)[ \t]+"?\$(?:hoop|HOOP_URL)(\/[^\s"`)]*)"?(?:[ \t]+-d[ \t]+'([^']*)')?/g;
  return [...markdown.matchAll(command)].map(([, options = '', path = '', data]) => ({
    method: /-X[ \t]+([A-Z]+)/.exec(options)?.[1] ?? (data === undefined ? 'GET' : 'POST'),
    path,
    headers: Object.fromEntries(
      [...options.matchAll(/-H[ \t]+'([^:']+): ?([^']*)'/g)].map(([, name, value]) => [name!.toLowerCase(), value!]),
    ),
    body: data === undefined ? undefined : JSON.parse(data),
  }));
}

/** Mentions such as `GET /v1/calls?x=y` or `POST /v1/approvals/ID/break-glass`, without a body. */
function mentions(markdown: string): Call[] {
  return [...markdown.matchAll(/\b(GET|POST|PUT|PATCH|DELETE)[ ]+(\/(?:v1|oauth|internal)\/[\w./?=&{}-]*)/g)].map(([, method, path]) => ({
    method: method!,
    path: path!,
    headers: {},
    body: undefined,
  }));
}

const pointer = (...parts: string[]): string => parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

function operationOf({ method, path }: Call): { operation: any; at: string } | undefined {
  const [name = ''] = path.split('?');
  const paths = Object.keys(document.paths).toSorted((a, b) => Number(a.includes('{')) - Number(b.includes('{')));
  const matching = paths.filter((one) => new RegExp(`^${one.replaceAll('.', String.raw`\.`).replace(/\{\w+\}/g, '[^/]+')}$`).test(name));
  const found = matching.find((one) => document.paths[one][method.toLowerCase()] !== undefined);
  return found === undefined
    ? undefined
    : { operation: document.paths[found][method.toLowerCase()], at: pointer('paths', found, method.toLowerCase()) };
}

function faultsOf(call: Call): string[] {
  const found = operationOf(call);
  const name = `${call.method} ${call.path}`;
  if (found === undefined) return [`${name}: is no operation`];
  const { operation, at } = found;
  const faults: string[] = [];
  const known = operation.parameters.filter((one: any) => one.in === 'query').map((one: any) => one.name);
  for (const one of new URLSearchParams(call.path.split('?')[1] ?? '').keys())
    if (!known.includes(one)) faults.push(`${name}: no parameter ${one}`);
  if (call.body === undefined) return faults;
  const content = operation.requestBody?.content['application/json'];
  if (content === undefined) return [...faults, `${name}: takes no JSON`];
  const validate = ajv.compile({
    $ref: `openapi.json#${encodeURI(`${at}${pointer('requestBody', 'content', 'application/json', 'schema')}`)}`,
  });
  if (!validate(call.body)) faults.push(`${name}: ${ajv.errorsText(validate.errors)}`);
  for (const one of operation.parameters) {
    const isMissing = one.in === 'header' && one.required === true && call.headers[one.name.toLowerCase()] === undefined;
    if (isMissing) faults.push(`${name}: no ${one.name}`);
  }
  return faults;
}

const files = ['README.md', ...globSync('docs/*.md', { cwd: root })];

describe.each(files)('%s', (file) => {
  const markdown = read(file);

  it('makes calls that are operations, with bodies and parameters that they take', () => {
    expect([...curlCalls(markdown), ...mentions(markdown)].flatMap(faultsOf)).toEqual([]);
  });

  it('has no call of curl that this test does not understand', () => {
    const written = [...markdown.matchAll(/^\s*(?:\w+=\$\()?(?:api|ask|curl)\b.*\$(?:hoop|HOOP_URL)\//gm)];
    expect(curlCalls(markdown).length).toBeGreaterThanOrEqual(written.length);
  });
});

describe('README.md', () => {
  it('makes the calls that the typed client makes', async () => {
    const made: Call[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => (text += part));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const precondition = headers['if-none-match'] === undefined ? {} : { 'if-none-match': headers['if-none-match'] };
        const call = { method, path: url, headers: precondition, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
        made.push(call);
        const status = Object.keys(operationOf(call)?.operation.responses ?? { 404: {} })[0];
        response.writeHead(Number(status), { 'content-type': 'application/json' }).end('{}');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await readmeCalls(createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'hoop_admin_x' }));
    } finally {
      server.closeAllConnections();
      server.close();
    }
    const written = curlCalls(read('README.md'));
    expect(written.length).toBeGreaterThan(5);
    expect(made).toEqual(written);
  });
});

it('finds what is wrong with a call', () => {
  const call = (line: string) => faultsOf(curlCalls(line)[0]!).join();
  expect(call(`api $hoop/v1/identitys -d '{}'`)).toContain('is no operation');
  expect(call(`api $hoop/v1/connections -d '{ "name": "x", "target": "https://x.example", "allowed": [] }'`)).toContain(
    'additional properties',
  );
  expect(call(`api $hoop/v1/connections -d '{ "name": "x" }'`)).toContain("required property 'target'");
  expect(call(`api "$hoop/v1/calls?conection=mine"`)).toContain('no parameter conection');
});
