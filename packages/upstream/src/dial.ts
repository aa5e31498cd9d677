/** A socket to a host that no connection is for, with the same guard of addresses; nothing is read or written on it here. */
import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';

import { AppError } from '@hoop/contract';

import { createAddressRules } from './address.ts';
import { addressRefused, checkedLookup, resolveBySystem } from './dialer.ts';
import type { Resolve } from './dialer.ts';
import { toTargetError } from './target-error.ts';

export interface DialOptions {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly allowedCidrs: readonly string[];
  /** DNS and TCP together, milliseconds. */
  readonly timeoutMs: number;
  /** @default the system's resolver */
  readonly resolve?: Resolve;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

/** @throws AppError `target_address_refused`, `target_unreachable`, `target_timeout` */
export async function dial({ host, port, allowedCidrs, timeoutMs, resolve = resolveBySystem, signal }: DialOptions): Promise<Socket> {
  const rules = createAddressRules(allowedCidrs);
  // A literal address is never looked up, so it is checked here.
  if (isIP(host) !== 0 && rules.check(host) === 'refused') throw addressRefused(host, [host]);
  const socket = connect({
    host,
    port,
    lookup: checkedLookup(rules, resolve),
    autoSelectFamily: true,
    noDelay: true,
    ...(signal === undefined ? {} : { signal }),
  });
  const timer = setTimeout(
    () => socket.destroy(new AppError('target_timeout', `No connection to the host came about within ${timeoutMs} ms.`)),
    timeoutMs,
  );
  try {
    await new Promise<void>((done, fail) => socket.once('connect', done).once('error', fail));
  } catch (error) {
    throw error instanceof AppError ? error : toTargetError(error as Error);
  } finally {
    clearTimeout(timer);
  }
  const address = socket.remoteAddress ?? '';
  if (rules.check(address) !== 'refused') return socket;
  socket.destroy();
  throw addressRefused(host, [address]);
}
