/** Measures the time that strict durability adds to a call: the same call through one relay, on a strict and a relaxed connection in turn. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { recordLatencies } from '../measure.ts';
import type { LatencyRecorder } from '../measure.ts';
import { startStage } from '../relay/stage.ts';

export interface Added {
  readonly strict: LatencyRecorder;
  readonly relaxed: LatencyRecorder;
}

const body = JSON.stringify({ id: 'cus_1', note: 'x'.repeat(980) });
const warmUp = 200;

/** @param atOnce functions that call at a time */
export async function measureStrictAndRelaxed(calls: number, atOnce: number): Promise<Added> {
  const target = http.createServer((_req, res) =>
    res.writeHead(200, ['content-type', 'application/json', 'content-length', String(body.length)]).end(body),
  );
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
  const stage = await startStage((['strict', 'relaxed'] as const).map((name) => ({ name, target: url, recording: { durability: name } })));
  const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });
  try {
    const grant = await stage.grant();
    const call = (connection: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const request = http.get(
          `${stage.relayUrl}/${connection}/v1/customers/cus_1`,
          { agent, headers: { 'hoop-grant': grant } },
          (response) => {
            response.resume();
            response.on('end', () =>
              response.statusCode === 200 ? resolve() : reject(new Error(`The relay answered ${response.statusCode}.`)),
            );
          },
        );
        request.on('error', reject);
      });
    const measured = { strict: recordLatencies(), relaxed: recordLatencies() };
    const function_ = async (share: number): Promise<void> => {
      for (let n = 0; n < share; n++) {
        for (const connection of ['strict', 'relaxed'] as const) {
          const from = performance.now();
          await call(connection);
          if (n >= warmUp / atOnce) measured[connection].add(performance.now() - from);
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, () => function_((calls + warmUp) / atOnce)));
    return measured;
  } finally {
    agent.destroy();
    await stage.close();
    target.close();
    target.closeAllConnections();
  }
}
