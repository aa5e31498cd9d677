/** The baseline for Hoop: the shortest streaming proxy on node:http and undici's dispatch. Argument: the target's URL. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Pool } from 'undici';

const target = process.argv[2]!;
const pool = new Pool(target, { connections: 1024 });
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

const server = createServer({ noDelay: true }, (req, res) => {
  const headers: string[] = [];
  const raw = req.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) if (!hopByHop.has(raw[i]!.toLowerCase())) headers.push(raw[i]!, raw[i + 1]!);
  const hasBody = req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined;
  pool.dispatch(
    { origin: target, path: req.url!, method: req.method!, headers, body: hasBody ? req : null },
    {
      onRequestStart() {},
      onResponseStart(controller, status) {
        const list: string[] = [];
        const fields = controller.rawHeaders as Buffer[];
        for (let i = 0; i < fields.length; i += 2) {
          const name = fields[i]!.toString('latin1');
          if (!hopByHop.has(name.toLowerCase())) list.push(name, fields[i + 1]!.toString('latin1'));
        }
        res.writeHead(status, list);
      },
      onResponseData(controller, chunk) {
        if (res.write(chunk)) return;
        controller.pause();
        res.once('drain', () => controller.resume());
      },
      onResponseEnd() {
        res.end();
      },
      onResponseError(_controller, error) {
        if (!res.headersSent) res.writeHead(502).end(error.message);
        else res.destroy();
      },
    },
  );
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  process.send!({ event: 'listening', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('SIGTERM', () => process.exit(0));
