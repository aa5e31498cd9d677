/** What an identity may have of hosts that no connection is for: nothing, or tunnels that nobody looks into. */
import { z } from 'zod';

/** `api.example`, `api.example:8443`, `*.example` (what is below it), or `*`; without a port it is 443. */
const hostPattern = z
  .string()
  .max(260)
  .regex(
    /^(?:\*|(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?$/,
    {
      message: 'must be a host in lower case, or "*." and a host, or "*"; with ":PORT" where it is not 443',
    },
  );

export const unmanagedSchema = z.strictObject({
  mode: z.enum(['deny', 'tunnel']).default('deny'),
  /** With `tunnel`: where they may go; none: nowhere. */
  hosts: z.array(hostPattern).max(100).default([]),
  /** Private ranges that tunnels may reach, e.g. `10.1.0.0/16`; all other private addresses are refused. */
  allowedCidrs: z.array(z.string().min(1).max(64)).max(20).default([]),
});
export type Unmanaged = z.infer<typeof unmanagedSchema>;

export const nothingUnmanaged: Unmanaged = { mode: 'deny', hosts: [], allowedCidrs: [] };

/**
 * Whether the identity may have a tunnel there.
 * @param host lower case, an IPv6 address in brackets
 */
export function mayTunnel(unmanaged: Unmanaged, host: string, port: number): boolean {
  if (unmanaged.mode === 'deny') return false;
  return unmanaged.hosts.some((pattern) => {
    const [, name = '', ownPort = '443'] = /^(.*?)(?::([0-9]+))?$/.exec(pattern)!;
    // The port of an IPv6 address stands behind its bracket.
    const isWhole = name.startsWith('[') && !name.endsWith(']');
    if (isWhole || Number(ownPort) !== port) return false;
    if (name === '*') return true;
    return name.startsWith('*.') ? host.endsWith(name.slice(1)) && host.length > name.length - 1 : host === name;
  });
}
