/**
 * The cost of the recording alone: the bare proxy, and nothing but an intent that is durable before the request is sent, the
 * sealed body, and an outcome that is durable before the response. No identity, policy, credential or masking. Between it
 * and the bare proxy lies what no relay that keeps these promises can save. Arguments: the target's URL, the queue's URL,
 * and `heads` to keep no body.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { newId } from '@hoop/contract';
import type { PackedRecordBatch } from '@hoop/contract';
import { openQueue } from '@hoop/queue';
import { createRecorder, packBatch } from '@hoop/recording';
import { createDataKey, generateRecordingKeys, sealBodyBytes } from '@hoop/sealing';
import { Pool } from 'undici';

const [target = '', queueUrl = '', capture = 'full'] = process.argv.slice(2);
const pool = new Pool(target, { connections: 1024 });
const queue = openQueue<PackedRecordBatch>('bench', { kind: 'postgres', url: queueUrl }, { timeoutMs: 10_000 });
const recorder = createRecorder({
  relayId: newId('relay'),
  timeoutMs: 10_000,
  pack: packBatch,
  send: (id, { head, bytes }) => queue.addBytes(id, head, 'packed', bytes),
});
const { key } = await createDataKey((await generateRecordingKeys()).publicJwks.keys[0]!);
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'proxy-authorization',
  'host',
  'expect',
]);
// As long as the lines of a relay's entries.
const intentLine = `["i",${'"x",'.repeat(40)}0]`;
const outcomeLine = `["o",${'"x",'.repeat(50)}0]`;

const server = createServer({ noDelay: true }, async (req, res) => {
  const headers: string[] = [];
  const raw = req.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) if (!hopByHop.has(raw[i]!.toLowerCase())) headers.push(raw[i]!, raw[i + 1]!);
  const hasBody = req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined;
  await recorder.add({ line: intentLine, sealed: [] });
  const chunks: Buffer[] = [];
  let status = 0;
  const list: string[] = [];
  pool.dispatch(
    { origin: target, path: req.url!, method: req.method!, headers, body: hasBody ? req : null },
    {
      onRequestStart() {},
      onResponseStart(controller, code) {
        status = code;
        const fields = controller.rawHeaders as Buffer[];
        for (let i = 0; i < fields.length; i += 2) {
          const name = fields[i]!.toString('latin1');
          if (!hopByHop.has(name.toLowerCase())) list.push(name, fields[i + 1]!.toString('latin1'));
        }
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
        void recorder
          .add({ line: outcomeLine, sealed: capture === 'heads' ? [] : [sealBodyBytes(key, body, 'response')] })
          .then(() => res.writeHead(status, list).end(body));
      },
      onResponseError(_controller, error) {
        res.writeHead(502).end(error.message);
      },
    },
  );
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  process.send!({ event: 'listening', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('SIGTERM', () => process.exit(0));
