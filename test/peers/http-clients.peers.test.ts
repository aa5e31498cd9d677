/** General HTTP clients of the Node world, with their own retries on. */
import axios, { AxiosError } from 'axios';
import { Gaxios, GaxiosError } from 'gaxios';
import got, { HTTPError as GotError } from 'got';
import ky, { HTTPError as KyError } from 'ky';
import { FetchError, ofetch } from 'ofetch';

import { answerJson, readBody } from '../../packages/fetch/test/servers.ts';
import { peerScene, testClients } from './clients.ts';

const scene = peerScene(async (request, response) => {
  answerJson(response, 200, { got: (await readBody(request)).toString(), method: request.method });
});

const body = { amount: 5 };
const answer = { got: '{"amount":5}', method: 'PUT' };
const text = (document: unknown): string => JSON.stringify(document);

testClients(scene, [
  {
    name: 'ky',
    answer,
    call: ({ base, fetch, headers }) => ky.put(`${base}/v1/refunds`, { fetch, headers, json: body }).json(),
    // ky reads the body into `data`.
    shown: (error) => text((error as KyError).data),
  },
  {
    name: 'ofetch',
    answer,
    call: ({ base, fetch, headers }) =>
      ofetch.create({}, { fetch, Headers, AbortController })(`${base}/v1/refunds`, { method: 'PUT', headers, body }),
    shown: (error) => text((error as FetchError).data),
  },
  {
    name: 'axios with fetch',
    answer,
    call: async ({ base, fetch, headers }) =>
      (await axios.put(`${base}/v1/refunds`, body, { adapter: 'fetch', env: { fetch }, headers })).data as unknown,
    shown: (error) => text((error as AxiosError).response?.data),
  },
  {
    name: 'axios',
    ways: ['base URL'],
    answer,
    call: async ({ base, headers }) => (await axios.put(`${base}/v1/refunds`, body, { headers })).data as unknown,
    shown: (error) => text((error as AxiosError).response?.data),
  },
  {
    name: 'got',
    ways: ['base URL'],
    answer,
    call: ({ base, headers }) => got.put(`${base}/v1/refunds`, { headers, json: body }).json(),
    shown: (error) => (error as GotError).response.body as string,
  },
  {
    name: 'gaxios',
    answer,
    call: async ({ base, fetch, headers }) =>
      (
        await new Gaxios().request({
          url: `${base}/v1/refunds`,
          method: 'PUT',
          fetchImplementation: fetch,
          headers,
          data: body,
          retry: true,
        })
      ).data,
    // gaxios takes any type but application/json and text/* for bytes.
    shown: (error) => ((error as GaxiosError).response!.data as Blob).text(),
  },
]);
