/**
 * The sockets of a listener and whom they belong to. A socket belongs to its address until a call on it has been
 * authenticated, then to that call's identity. A real caller sends its head at once, so where too many sockets wait
 * for one, the socket that has waited longest is refused, and a newcomer is served.
 */
import type { Socket } from 'node:net';
import { isIPv6 } from 'node:net';

import type { AppError } from '@hoop/contract';

import { CallerSocket } from '../call/call.ts';
import { overLimit, settingOf } from '../caller/limits.ts';
import type { RelayLimits } from '../caller/limits.ts';
import { Share } from '../caller/share.ts';

/** The sockets of one address's strangers. */
export class Address extends Share {
  readonly name: string;
  /** Sockets that have sent no whole head, the oldest first. */
  readonly heads = new Set<CallerSocket>();

  constructor(name: string) {
    super();
    this.name = name;
  }
}

export class OpenSockets {
  size = 0;
  readonly #limits: RelayLimits;
  readonly #addresses = new Map<string, Address>();
  readonly #heads = new Set<CallerSocket>();

  constructor(limits: RelayLimits) {
    this.#limits = limits;
  }

  /** @param refuse answers on the socket itself and closes it */
  open(socket: Socket, refuse: (error: AppError) => void): CallerSocket {
    const { maxSockets, maxSocketsPerAddress } = this.#limits;
    const address = this.address(networkOf(socket.remoteAddress ?? ''));
    const opened = new CallerSocket(address, address.name, refuse);
    this.size++;
    address.sockets++;
    this.#awaitHead(opened, address);
    if (address.sockets > maxSocketsPerAddress && !this.#refuseOldest(address.heads, 'maxSocketsPerAddress', opened))
      this.#refuse(opened, 'maxSocketsPerAddress');
    else if (this.size > maxSockets && !this.#refuseOldest(this.#heads, 'maxSockets', opened)) this.#refuse(opened, 'maxSockets');
    return opened;
  }

  close(socket: CallerSocket): void {
    if (socket.isForgotten) return;
    socket.isForgotten = true;
    this.size--;
    this.#leaveOwner(socket);
  }

  /** Made where nothing of the address is known. */
  address(name: string): Address {
    let address = this.#addresses.get(name);
    if (address === undefined) this.#addresses.set(name, (address = new Address(name)));
    return address;
  }

  headArrived(socket: CallerSocket, address: Address): void {
    this.#heads.delete(socket);
    address.heads.delete(socket);
  }

  /** A call of a socket that still belongs to a stranger has ended: the next head is waited for. */
  callLeft(socket: CallerSocket, address: Address): void {
    if (socket.owner === address && socket.size === 0 && !socket.isClosing) this.#awaitHead(socket, address);
    this.settle(address);
  }

  belongsTo(socket: CallerSocket, share: Share): void {
    this.#leaveOwner(socket);
    socket.owner = share;
    share.sockets++;
  }

  /** Forgets an address that holds nothing. */
  settle(address: Address): void {
    if (address.sockets === 0 && address.calls === 0) this.#addresses.delete(address.name);
  }

  #leaveOwner(socket: CallerSocket): void {
    const { owner } = socket;
    owner.sockets--;
    if (!(owner instanceof Address)) return;
    this.headArrived(socket, owner);
    this.settle(owner);
  }

  #awaitHead(socket: CallerSocket, address: Address): void {
    this.#heads.add(socket);
    address.heads.add(socket);
    if (address.heads.size > this.#limits.maxHeadsPerAddress) this.#refuseOldest(address.heads, 'maxHeadsPerAddress', socket);
    if (this.#heads.size > this.#limits.maxHeads) this.#refuseOldest(this.#heads, 'maxHeads', socket);
  }

  /** False where there is none but the newest. */
  #refuseOldest(heads: Set<CallerSocket>, limit: keyof RelayLimits, newest: CallerSocket): boolean {
    const oldest = heads.values().next().value;
    if (oldest === undefined || oldest === newest) return false;
    this.#refuse(oldest, limit);
    return true;
  }

  #refuse(socket: CallerSocket, limit: keyof RelayLimits): void {
    socket.isClosing = true;
    this.close(socket);
    socket.refuse(overLimit(limit === 'maxSockets' ? 'relay_overloaded' : 'too_many_requests', sentences[limit]!, settingOf(limit)));
  }
}

const sentences: Partial<Record<keyof RelayLimits, string>> = {
  maxSocketsPerAddress: 'Too many connections of this address have authenticated nobody.',
  maxSockets: 'This relay has as many connections as it takes.',
  maxHeadsPerAddress: 'Too many connections of this address have sent no whole head.',
  maxHeads: 'Too many connections have sent no whole head.',
};

/** An IPv6 host has a /64 of addresses to choose from (RFC 4291 §2.5.1), so a /64 counts as one. */
export function networkOf(address: string): string {
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7);
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const right = tail === '' ? [] : tail.split(':');
    while (left.length + right.length < 8) left.push('0');
    left.push(...right);
  }
  return left.slice(0, 4).join(':');
}
