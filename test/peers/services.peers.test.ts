/** The libraries of services, with the retries that each has by default. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { WebClient } from '@slack/web-api';
import { createClient } from '@supabase/supabase-js';
import { GraphQLClient } from 'graphql-request';
import { Octokit } from 'octokit';
import Stripe from 'stripe';
import twilio from 'twilio';
import type { RequestOptions } from 'twilio/lib/base/RequestClient.js';

import { answerJson, readBody } from '../../packages/fetch/test/servers.ts';
import { peerScene, testClients } from './clients.ts';

const scene = peerScene(async (request, response) => {
  const body = (await readBody(request)).toString();
  switch (`${request.method} ${request.url}`) {
    case 'POST /v1/refunds':
      return answerJson(response, 200, { id: 're_1', object: 'refund', amount: Number(new URLSearchParams(body).get('amount')) });
    case 'POST /repos/acme/billing/issues':
      return answerJson(response, 201, { number: 7, title: (JSON.parse(body) as { title: string }).title });
    case 'POST /api/chat.postMessage':
      return answerJson(response, 200, { ok: true, ts: '1.2' });
    case 'POST /2010-04-01/Accounts/ACx/Messages.json':
      return answerJson(response, 201, { sid: 'SM1', body: new URLSearchParams(body).get('Body') });
    case 'POST /rest/v1/customers?select=*':
      return answerJson(response, 201, [{ id: 1, ...(JSON.parse(body) as object) }]);
    case 'POST /graphql':
      return answerJson(response, 200, { data: { refund: (JSON.parse(body) as { variables: object }).variables } });
    case 'PUT /bucket/key?x-id=PutObject':
      return void response.writeHead(200, { etag: `"${body}"` }).end();
    default:
      return answerJson(response, 404, { message: `no ${request.method} ${request.url}` });
  }
});

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

testClients(scene, [
  {
    name: 'Stripe',
    answer: ['re_1', 700],
    async call({ base, fetch, headers }) {
      // Its library takes a host and no path before its own, so the transport puts the base there.
      const send = ((url: string, init: RequestInit) =>
        fetch(base + new URL(url).pathname, { ...init, headers: { ...(init.headers as object), ...headers } })) as typeof fetch;
      const refund = await new Stripe('sk_test_held_by_hoop', { httpClient: Stripe.createFetchHttpClient(send) }).refunds.create({
        charge: 'ch_1',
        amount: 700,
      });
      return [refund.id, refund.amount];
    },
  },
  {
    name: 'Octokit',
    answer: [7, 'Refunds'],
    async call({ base, fetch, headers }) {
      const octokit = new Octokit({ auth: 'held-by-hoop', baseUrl: base, request: { fetch }, log: quiet });
      const { data } = await octokit.rest.issues.create({ owner: 'acme', repo: 'billing', title: 'Refunds', headers });
      return [data.number, data.title];
    },
  },
  {
    name: 'Slack',
    answer: '1.2',
    async call({ base, fetch, key }) {
      // It sends again after every status but 200: its retries are off, as docs/adr/0056 says.
      const slack = new WebClient(key, { slackApiUrl: `${base}/api/`, fetch, retryConfig: { retries: 0 }, logger: undefined as never });
      return (await slack.chat.postMessage({ channel: 'C1', text: 'Hi' })).ts;
    },
    shown: (error) => `${String(error)} ${JSON.stringify(error)}`,
  },
  {
    name: 'Twilio',
    answer: ['SM1', 'Hi'],
    async call({ base, fetch, headers }) {
      // It takes no base URL: its transport is what it offers.
      const httpClient = {
        async request({ method, uri, data, headers: own }: RequestOptions) {
          const answer = await fetch(base + new URL(uri).pathname, {
            method: method.toUpperCase(),
            headers: { ...(own as Record<string, string>), ...headers },
            body: new URLSearchParams(data as Record<string, string>),
          });
          return { statusCode: answer.status, body: await answer.text(), headers: Object.fromEntries(answer.headers) };
        },
      };
      const client = twilio('ACx', 'held-by-hoop', { httpClient: httpClient as never });
      const message = await client.messages.create({ to: '+1', from: '+2', body: 'Hi' });
      return [message.sid, message.body];
    },
    shown: (error) => `${String(error)} ${JSON.stringify(error)}`,
  },
  {
    name: 'Supabase',
    answer: [{ id: 1, name: 'Ada' }],
    async call({ base, fetch, key, headers }) {
      const supabase = createClient(base, key, { global: { fetch, headers } });
      const { data, error } = await supabase.from('customers').insert({ name: 'Ada' }).select();
      if (error !== null) throw new Error(JSON.stringify(error));
      return data as unknown;
    },
  },
  {
    name: 'graphql-request',
    answer: { refund: { amount: 5 } },
    call: ({ base, fetch, headers }) =>
      new GraphQLClient(`${base}/graphql`, { fetch, headers }).request('mutation ($amount: Int!) { refund(amount: $amount) { amount } }', {
        amount: 5,
      }),
  },
  {
    name: 'AWS S3',
    ways: ['base URL'],
    answer: '"x"',
    async call({ base, headers }) {
      const credentials = { accessKeyId: 'HELD', secretAccessKey: 'by-hoop' };
      const s3 = new S3Client({ endpoint: base, region: 'eu-central-1', forcePathStyle: true, credentials });
      s3.middlewareStack.add(
        (next) => (args) => {
          Object.assign((args.request as { headers: Record<string, string> }).headers, headers);
          return next(args);
        },
        { step: 'finalizeRequest', priority: 'low' },
      );
      return (await s3.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body: 'x' }))).ETag;
    },
    // Its message is about XML; it names the hidden member that has the body.
    shown: (error) => String((error as { $response: { body: unknown } }).$response.body),
  },
]);
