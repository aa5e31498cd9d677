/** The libraries of language models: calls, and streams that arrive piece by piece. */
import type { ServerResponse } from 'node:http';

import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';

import { answerJson, readBody } from '../../packages/fetch/test/servers.ts';
import { peerScene, testClients, type Way } from './clients.ts';

/** Lets the target send the second half of its stream. */
let goOn = (): void => {};

async function stream(response: ServerResponse, first: readonly string[], rest: readonly string[]): Promise<void> {
  const gate = Promise.withResolvers<void>();
  goOn = gate.resolve;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of first) response.write(event);
  await gate.promise;
  for (const event of rest) response.write(event);
  response.end();
}

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const named = (data: { type: string }): string => `event: ${data.type}\n${event(data)}`;
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };

const chatChunk = (delta: object, finish: string | null = null): string =>
  event({
    id: 'chat-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

const scene = peerScene(async (request, response) => {
  const body = JSON.parse((await readBody(request)).toString() || '{}') as { stream?: boolean };
  switch (new URL(request.url ?? '', 'http://target').pathname) {
    case '/v1/chat/completions':
      if (body.stream) {
        return stream(
          response,
          [chatChunk({ role: 'assistant', content: 'Hel' })],
          [chatChunk({ content: 'lo' }, 'stop'), 'data: [DONE]\n\n'],
        );
      }
      return answerJson(response, 200, {
        id: 'chat-1',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage,
      });
    case '/v1/messages': {
      const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_reason: null, stop_sequence: null };
      if (body.stream) {
        return stream(
          response,
          [
            named({ type: 'message_start', message: { ...message, content: [], usage: { input_tokens: 1, output_tokens: 1 } } } as never),
            named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as never),
            named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } } as never),
          ],
          [
            named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } } as never),
            named({ type: 'content_block_stop', index: 0 } as never),
            named({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } } as never),
            named({ type: 'message_stop' }),
          ],
        );
      }
      return answerJson(response, 200, {
        ...message,
        content: [{ type: 'text', text: 'Hello' }],
        usage: { input_tokens: 1, output_tokens: 2 },
      });
    }
    case '/v1/models/m:generateContent':
      return answerJson(response, 200, { candidates: [{ content: { role: 'model', parts: [{ text: 'Hello' }] }, finishReason: 'STOP' }] });
    default:
      return answerJson(response, 404, { error: { message: `no ${request.url}` } });
  }
});

const messages = [{ role: 'user' as const, content: 'Hi' }];
const openAi = ({ base, key, fetch }: Way): OpenAI => new OpenAI({ apiKey: key, baseURL: `${base}/v1`, fetch });
const anthropic = ({ base, key, fetch }: Way): Anthropic => new Anthropic({ apiKey: null, authToken: key, baseURL: base, fetch });
const aiModel = ({ base, key, fetch }: Way): Parameters<typeof generateText>[0]['model'] =>
  createOpenAI({ apiKey: key, baseURL: `${base}/v1`, fetch }).chat('m');

testClients(scene, [
  {
    name: 'OpenAI',
    answer: 'Hello',
    call: async (way) => (await openAi(way).chat.completions.create({ model: 'm', messages })).choices[0]!.message.content,
  },
  {
    name: 'Anthropic',
    answer: [{ type: 'text', text: 'Hello' }],
    call: async (way) => (await anthropic(way).messages.create({ model: 'm', max_tokens: 9, messages })).content,
  },
  {
    name: 'LangChain',
    answer: 'Hello',
    call: async ({ base, key, fetch }) =>
      (await new ChatOpenAI({ model: 'm', apiKey: key, configuration: { baseURL: `${base}/v1`, fetch } }).invoke('Hi')).content,
  },
  {
    name: 'AI SDK',
    answer: 'Hello',
    call: async (way) => (await generateText({ model: aiModel(way), prompt: 'Hi' })).text,
    shown: (error) => `${(error as { responseBody?: string }).responseBody}`,
  },
  {
    // It has no option for a fetch, and its key goes into a header of its own.
    name: 'Google Gen AI',
    ways: ['base URL'],
    answer: 'Hello',
    call: async ({ base, headers }) =>
      (
        await new GoogleGenAI({ apiKey: 'held-by-hoop', httpOptions: { baseUrl: base, headers } }).models.generateContent({
          model: 'm',
          contents: 'Hi',
        })
      ).text,
  },
]);

/** Each yields the pieces of one stream. */
const streams: Record<string, (way: Way) => AsyncGenerator<string>> = {
  async *OpenAI(way) {
    for await (const chunk of await openAi(way).chat.completions.create({ model: 'm', messages, stream: true }))
      yield chunk.choices[0]!.delta.content ?? '';
  },
  async *Anthropic(way) {
    for await (const one of await anthropic(way).messages.create({ model: 'm', max_tokens: 9, messages, stream: true }))
      if (one.type === 'content_block_delta' && one.delta.type === 'text_delta') yield one.delta.text;
  },
  async *'AI SDK'(way) {
    yield* streamText({ model: aiModel(way), prompt: 'Hi' }).textStream;
  },
};

describe.each(Object.keys(streams))('%s', (name) => {
  test.each(['fetch', 'base URL'] as const)('streams by %s, piece by piece', async (kind) => {
    const pieces: string[] = [];
    for await (const piece of streams[name]!(await scene.way(kind, 'allowed'))) {
      pieces.push(piece);
      // The target sends the second piece only once the first has arrived.
      if (pieces.length === 1) goOn();
    }
    expect(pieces).toEqual(['Hel', 'lo']);
  });
});
