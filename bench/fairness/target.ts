/** A target that answers at once, at length, or never. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

const customer = (id: number): object => ({
  id,
  name: `Customer ${id}`,
  email: `c${id}@example.com`,
  phone: '+1 202 555 0143',
  note: `Called about card 4111 1111 1111 1111 from 192.0.2.${id % 250}`,
});
const small = JSON.stringify({ data: Array.from({ length: 8 }, (_, id) => customer(id)) });
const many = JSON.stringify({ data: Array.from({ length: 1500 }, (_, id) => customer(id)) });
const large = Buffer.alloc(4 * 1024 * 1024, 'x');

const server = http.createServer({ noDelay: true, keepAliveTimeout: 60_000, requestTimeout: 0 }, (req, res) => {
  req.resume();
  if (req.url === '/v1/files/never') return;
  if (req.method === 'POST') return void req.on('end', () => res.end('{}'));
  const isLarge = req.url === '/v1/files/large';
  const body = isLarge ? large : req.url === '/v1/files/customers' ? many : small;
  res.writeHead(200, { 'content-type': isLarge ? 'text/plain' : 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
});
server.listen(0, '127.0.0.1', 4096, () => {
  process.send!({ event: 'listening', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
