/** The real client libraries of three vendors, with our fetch in the place of theirs, against local servers that speak their protocols. */
import { Octokit, RequestError } from 'octokit';
import OpenAI, { toFile } from 'openai';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createFetch, type HoopFetch } from '../src/index.ts';
import { answerJson, closeServers, readBody, serve } from './servers.ts';
import { problem, type SmallHoop, startSmallHoop } from './small-hoop.ts';

let hoop: SmallHoop;
let fetch: HoopFetch;
let origin: string;
let goOn: () => void;
const seen: { method: string; url: string; body: string; headers: NodeJS.Dict<string | string[]> }[] = [];

beforeAll(async () => {
  origin = await serve(async (request, response) => {
    const body = (await readBody(request)).toString();
    seen.push({ method: request.method ?? '', url: request.url ?? '', body, headers: request.headers });
    const path = new URL(request.url ?? '', 'http://target').pathname;
    switch (`${request.method} ${path}`) {
      case 'POST /v1/chat/completions': {
        const { stream } = JSON.parse(body) as { stream?: boolean };
        if (!stream)
          return answerJson(response, 200, {
            id: 'chat-1',
            object: 'chat.completion',
            choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' } }],
          });
        const chunk = (content: string): string =>
          `data: ${JSON.stringify({ id: 'chat-1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(chunk('Hel'));
        await new Promise<void>((resolve) => (goOn = resolve));
        response.write(chunk('lo'));
        return void response.end('data: [DONE]\n\n');
      }
      case 'POST /v1/files':
        return answerJson(response, 200, { id: 'file-1', object: 'file', filename: 'a.jsonl', purpose: 'batch', bytes: body.length });
      case 'GET /v1/customers':
        return answerJson(response, 200, {
          object: 'list',
          data: [
            { id: 'cus_1', object: 'customer' },
            { id: 'cus_2', object: 'customer' },
          ],
          has_more: false,
          url: '/v1/customers',
        });
      case 'POST /v1/refunds':
        return answerJson(response, 200, { id: 're_1', object: 'refund', amount: Number(new URLSearchParams(body).get('amount')) });
      case 'GET /repos/acme/billing':
        return answerJson(response, 200, { full_name: 'acme/billing' });
      case 'GET /repos/acme/moved':
        return void response.writeHead(301, { location: `${origin}/repos/acme/billing` }).end();
      case 'GET /repos/acme/billing/issues': {
        const page = new URL(request.url ?? '', origin).searchParams.get('page') ?? '1';
        const link = page === '1' ? { link: `<${origin}/repos/acme/billing/issues?page=2>; rel="next"` } : {};
        return answerJson(response, 200, [{ number: Number(page) }], link as Record<string, string>);
      }
      default:
        return answerJson(response, 404, { message: 'Not Found' });
    }
  });
  hoop = await startSmallHoop({ target: origin });
  fetch = createFetch({ url: hoop.url, token: () => 'identity-token' });
});
afterAll(closeServers);

/** The relay answers the next request with this. */
const refuseNext = (status: number, code: string): void => {
  hoop.intercept = (_request, response) => {
    hoop.intercept = undefined;
    problem(response, status, code);
    return true;
  };
};

describe('OpenAI', () => {
  const client = (): OpenAI => new OpenAI({ apiKey: 'held-by-hoop', baseURL: `${origin}/v1`, fetch, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: 'Hi' }];

  test('completes, and its placeholder key goes nowhere', async () => {
    const completion = await client().chat.completions.create({ model: 'm', messages });
    expect(completion.choices[0]!.message.content).toBe('Hello');
    expect(hoop.relayed.at(-1)!.headers).not.toHaveProperty('authorization');
    expect(JSON.stringify(seen.at(-1))).not.toContain('held-by-hoop');
  });

  test('streams a completion piece by piece', async () => {
    const stream = await client().chat.completions.create({ model: 'm', messages, stream: true });
    const pieces: (string | null | undefined)[] = [];
    for await (const chunk of stream) {
      pieces.push(chunk.choices[0]!.delta.content);
      // The target sends the second piece only once the first has arrived.
      if (pieces.length === 1) goOn();
    }
    expect(pieces).toEqual(['Hel', 'lo']);
  });

  test('ends a stream that is left early', async () => {
    const stream = await client().chat.completions.create({ model: 'm', messages, stream: true });
    for await (const chunk of stream) {
      expect(chunk.choices[0]!.delta.content).toBe('Hel');
      break;
    }
    expect(stream.controller.signal.aborted).toBe(true);
    goOn();
  });

  test('uploads a file', async () => {
    const file = await client().files.create({ purpose: 'batch', file: await toFile(Buffer.from('{"a":1}\n'), 'a.jsonl') });
    expect(file.id).toBe('file-1');
    expect(seen.at(-1)!.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(seen.at(-1)!.body).toContain('{"a":1}');
  });

  test('takes the context of one call through its fetch options', async () => {
    await client().chat.completions.create(
      { model: 'm', messages },
      { fetchOptions: { hoop: { context: { ticket: 'OPS-1' } } } as object },
    );
    expect(hoop.relayed.at(-1)!.headers['hoop-context']).toBe('{"ticket":"OPS-1"}');
  });

  test('shows a denial as its own permission error, with the reason', async () => {
    refuseNext(403, 'context_required');
    const error: unknown = await client()
      .chat.completions.create({ model: 'm', messages })
      .then(
        () => expect.unreachable(),
        (reason: unknown) => reason,
      );
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(error).toMatchObject({ status: 403, code: 'context_required', message: expect.stringContaining('Refused: context_required.') });
  });
});

describe('Stripe', () => {
  const client = (): Stripe => {
    const { hostname, port } = new URL(origin);
    return new Stripe('sk_test_held_by_hoop', {
      host: hostname,
      port: Number(port),
      protocol: 'http',
      httpClient: Stripe.createFetchHttpClient(fetch),
      maxNetworkRetries: 0,
      telemetry: false,
    });
  };

  test('lists customers', async () => {
    const customers: string[] = [];
    for await (const customer of client().customers.list({ limit: 2 })) customers.push(customer.id);
    expect(customers).toEqual(['cus_1', 'cus_2']);
    expect(JSON.stringify([seen.at(-1), hoop.relayed.at(-1)])).not.toContain('sk_test');
  });

  test('makes a refund with its idempotency key', async () => {
    const refund = await client().refunds.create({ charge: 'ch_1', amount: 700 }, { idempotencyKey: 'key-1' });
    expect([refund.id, refund.amount, seen.at(-1)!.body, seen.at(-1)!.headers['idempotency-key']]).toEqual([
      're_1',
      700,
      'charge=ch_1&amount=700',
      'key-1',
    ]);
  });

  // Stripe's library takes an answer without `error` for a success, whatever its status.
  test.each([
    [403, 'context_required'],
    [503, 'recorder_unavailable'],
  ])('takes a %i %s for an error, and shows the reason', async (status, code) => {
    refuseNext(status, code);
    await expect(client().refunds.create({ charge: 'ch_1', amount: 700 })).rejects.toMatchObject({
      statusCode: status,
      code,
      message: `Refused: ${code}.`,
    });
  });
});

describe('Octokit', () => {
  const client = (): Octokit =>
    new Octokit({ auth: 'ghp_held_by_hoop', baseUrl: origin, request: { fetch }, retry: { enabled: false }, throttle: { enabled: false } });

  test('reads a repository, also through a redirect', async () => {
    for (const repo of ['billing', 'moved']) {
      const answer = await client().rest.repos.get({ owner: 'acme', repo });
      expect([answer.data.full_name, answer.url]).toEqual(['acme/billing', `${origin}/repos/acme/billing`]);
    }
    expect(JSON.stringify([seen, hoop.relayed])).not.toContain('ghp_');
  });

  test('follows pages through the links of the target', async () => {
    const issues = await client().paginate('GET /repos/{owner}/{repo}/issues', { owner: 'acme', repo: 'billing' });
    expect(issues.map((issue) => issue.number)).toEqual([1, 2]);
  });

  test('shows a denial as a RequestError with the reason', async () => {
    refuseNext(403, 'policy_denied');
    const error: RequestError = await client()
      .rest.repos.get({ owner: 'acme', repo: 'billing' })
      .then(
        () => expect.unreachable(),
        (reason) => reason,
      );
    expect(error).toBeInstanceOf(RequestError);
    // Octokit shows a text as it is; of bytes it says "Unknown error".
    expect([error.status, error.message]).toEqual([403, expect.stringContaining('Refused: policy_denied.')]);
    expect(JSON.parse(error.response?.data as string)).toMatchObject({ code: 'policy_denied', detail: 'Refused: policy_denied.' });
  });
});
