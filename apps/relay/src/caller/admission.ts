/**
 * Who may have how much of the relay at a time. A call counts for the owner of its socket (the identity that it served
 * last, or the address while nobody is known), then for its own identity and its connection. Nobody may hold more than
 * half of what is free: however many calls one caller makes, the next caller is served.
 */
import { AppError } from '@hoop/contract';

import type { Call } from '../call/call.ts';
import { Address } from '../listener/open-sockets.ts';
import type { Relay } from '../relay.ts';
import { limitVariables, overLimit, settingOf } from './limits.ts';
import type { Share } from './share.ts';

/** The call is in flight from here on. */
export function enter(relay: Relay, call: Call): void {
  const { socket } = call;
  relay.calls.add(call);
  if (socket === null) return;
  socket.add(call);
  if (socket.owner instanceof Address) relay.sockets.headArrived(socket, socket.owner);
  call.owner = socket.owner;
  call.owner.calls++;
}

/** The call is no longer in flight. May be called again. */
export function leave(relay: Relay, call: Call): void {
  relay.calls.delete(call);
  const { socket, owner, connectionShare } = call;
  if (connectionShare !== null) {
    connectionShare.calls--;
    call.connectionShare = null;
  }
  if (call.heldBytes > 0) releaseHeld(relay, call);
  if (call.exchange !== null) {
    call.exchange.request?.release();
    call.exchange.response.release();
  }
  if (socket === null || owner === null) return;
  socket.delete(call);
  call.owner = null;
  owner.calls--;
  if (owner instanceof Address) relay.sockets.callLeft(socket, owner);
}

/** @throws AppError `relay_draining`, `relay_overloaded`, `too_many_requests` */
export function admit(relay: Relay, call: Call): void {
  // A deferred call was admitted when it was claimed: refused now, it would be lost.
  if (call.deferred !== null) return;
  const { limits } = relay;
  if (relay.isDraining)
    throw new AppError('relay_draining', 'This relay is shutting down. Nothing was sent; send the request again.', {
      headers: { connection: 'close' },
    });
  if (relay.calls.size > limits.maxCalls) {
    throw overLimit('relay_overloaded', 'This relay has as many calls under way as it takes.', settingOf('maxCalls'));
  }
  const { socket } = call;
  if (socket !== null && socket.size > limits.maxPipelined) {
    socket.isClosing = true;
    const sentence = `More than ${limits.maxPipelined} requests are under way on this connection.`;
    throw overLimit('too_many_requests', sentence, settingOf('maxPipelined'), { connection: 'close' });
  }
}

/** A credential that is not known has to be verified, which can take a while: until then its call counts for the address. @throws AppError `too_many_requests` */
export function mayVerify(relay: Relay, call: Call): void {
  const { owner, socket } = call;
  if (owner === null || socket === null) return;
  const address = owner instanceof Address ? owner : relay.sockets.address(socket.network);
  if (owner !== address) {
    owner.calls--;
    address.calls++;
    call.owner = address;
  }
  const { maxCallsPerAddress } = relay.limits;
  if (address.calls > maxCallsPerAddress) {
    const sentence = `${maxCallsPerAddress} calls of this address wait to be authenticated.`;
    throw overLimit('too_many_requests', sentence, settingOf('maxCallsPerAddress'));
  }
}

/** The caller is known: the call, and the socket, count for its identity from here on. @throws AppError `caller_overloaded` */
export function identified(relay: Relay, call: Call, share: Share): void {
  const { owner, socket } = call;
  if (owner === null || socket === null) return;
  if (owner !== share) {
    owner.calls--;
    share.calls++;
    call.owner = share;
    if (owner instanceof Address) relay.sockets.settle(owner);
  }
  if (call.deferred !== null) return;
  if (socket.owner !== share) {
    relay.sockets.belongsTo(socket, share);
    const { maxSockets, maxSocketsPerIdentity } = relay.limits;
    if (share.sockets > maxSocketsPerIdentity || share.sockets > maxSockets - relay.sockets.size + 1) {
      const sentence = 'This identity has as many connections to this relay as it may have.';
      throw overLimit('caller_overloaded', sentence, settingOf('maxSocketsPerIdentity'), { connection: 'close' });
    }
  }
  requireShare(relay, share);
}

function requireShare({ limits, calls }: Relay, { calls: own }: Share): void {
  if (own <= limits.maxCallsPerIdentity && own <= limits.maxCalls - calls.size + 1) return;
  throw overLimit('caller_overloaded', 'This identity has as many calls under way as it may have.', settingOf('maxCallsPerIdentity'));
}

/** @throws AppError `connection_overloaded` */
export function countOnConnection({ limits, calls }: Relay, call: Call): void {
  const { share, snapshot } = call.connection!;
  share.calls++;
  call.connectionShare = share;
  const { maxCalls } = snapshot.settings.limits;
  if (call.deferred !== null || (share.calls <= limits.maxCalls - calls.size + 1 && (maxCalls === 0 || share.calls <= maxCalls))) return;
  const sentence = `The connection "${snapshot.name}" has as many calls under way as it may have.`;
  throw overLimit(
    'connection_overloaded',
    sentence,
    `limits.maxCalls of the connection, or half of what is free of ${limitVariables.maxCalls}`,
  );
}

/** Bytes of a body that are held until the call ends. Null: they may be. */
export function holdBytes(relay: Relay, call: Call, bytes: number): AppError | null {
  const share = call.owner;
  if (share === null) return null;
  const { maxHeldBytes, maxHeldBytesPerIdentity } = relay.limits;
  if (share.heldBytes + bytes > Math.min(maxHeldBytesPerIdentity, maxHeldBytes - relay.heldBytes)) {
    const sentence = 'Bodies of this identity that have to be seen before they are sent take as much memory as they may.';
    return overLimit('caller_overloaded', sentence, settingOf('maxHeldBytesPerIdentity'));
  }
  share.heldBytes += bytes;
  relay.heldBytes += bytes;
  call.heldBytes += bytes;
  return null;
}

function releaseHeld(relay: Relay, call: Call): void {
  if (call.owner !== null) call.owner.heldBytes -= call.heldBytes;
  relay.heldBytes -= call.heldBytes;
  call.heldBytes = 0;
}
