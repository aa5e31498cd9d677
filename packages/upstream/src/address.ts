/** Which IP addresses may be dialled. Pure: text in, verdict out. */
import { isIPv4, isIPv6 } from 'node:net';

/** An address or range as a number in the space of its family. */
interface Range {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly bits: number;
}

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

function ipv4Value(text: string): bigint {
  let value = 0n;
  for (const part of text.split('.')) value = (value << 8n) | BigInt(part);
  return value;
}

function ipv6Value(text: string): bigint {
  let rest = text;
  const dotted = rest.lastIndexOf(':') + 1;
  if (rest.includes('.')) {
    const embedded = ipv4Value(rest.slice(dotted));
    rest = `${rest.slice(0, dotted)}${(embedded >> 16n).toString(16)}:${(embedded & 0xffffn).toString(16)}`;
  }
  const [head = '', tail] = rest.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  let value = 0n;
  for (const group of groups) value = (value << 16n) | BigInt(`0x${group}`);
  return value;
}

const mappedPrefix = 0xffffn;

/** Reads an IPv4 or IPv6 address, with or without brackets; an IPv4-mapped one (RFC 4291 §2.5.5.2) is the IPv4 address. */
export function parseAddress(text: string): Address | null {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (isIPv4(bare)) return { family: 4, value: ipv4Value(bare) };
  if (!isIPv6(bare)) return null;
  const zone = bare.indexOf('%');
  const value = ipv6Value(zone === -1 ? bare : bare.slice(0, zone));
  if (value >> 32n === mappedPrefix) return { family: 4, value: value & 0xffff_ffffn };
  return { family: 6, value };
}

const widths = { 4: 32, 6: 128 } as const;

/** Reads `10.0.0.0/8` or one address; null where it is neither. */
export function parseCidr(text: string): Range | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === null || text.includes('%')) return null;
  const width = widths[address.family];
  if (slash === -1) return { family: address.family, base: address.value, bits: width };
  const suffix = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(suffix)) return null;
  const bits = Number(suffix);
  if (bits > width) return null;
  const host = BigInt(width - bits);
  return { family: address.family, base: (address.value >> host) << host, bits };
}

function contains(range: Range, address: Address): boolean {
  if (range.family !== address.family) return false;
  const host = BigInt(widths[range.family] - range.bits);
  return address.value >> host === range.base >> host;
}

const ranges = (...texts: string[]): readonly Range[] => texts.map((text) => parseCidr(text)!);

/** Services that hand out credentials of the machine itself; a wide range never opens them, only their own address does. */
const metadata = ranges(
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '169.254.169.253',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::/32',
  'fd20:ce::254',
);

/** IANA's special-purpose registry (RFC 6890 and updates): what is not globally reachable. */
const notPublic4 = ranges(
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
);
/** Only 2000::/3 is global unicast (RFC 4291 §2.4), less what is special in it: Teredo and the rest of 2001::/23, documentation, 6to4. */
const global6 = parseCidr('2000::/3')!;
const notPublic6 = ranges('2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20');
/** RFC 6052: reaches the IPv4 address in the last 32 bits. */
const nat64 = parseCidr('64:ff9b::/96')!;

const isMetadata = (address: Address): boolean => metadata.some((range) => contains(range, address));

/** True for an address on the public internet; false for everything private, special, unknown or unparsable. */
export function isPublicAddress(address: Address): boolean {
  if (isMetadata(address)) return false;
  if (address.family === 4) return !notPublic4.some((range) => contains(range, address));
  if (contains(nat64, address)) return isPublicAddress({ family: 4, value: address.value & 0xffff_ffffn });
  return contains(global6, address) && !notPublic6.some((range) => contains(range, address));
}

/** Ranges wider than these would switch the guard off. */
const widest = { 4: 8, 6: 7 } as const;

export interface AddressRules {
  /** `public`: on the internet. `listed`: in an allowed range. `refused`: neither. */
  check(address: string): 'public' | 'listed' | 'refused';
}

/**
 * Rules for one connection.
 * @throws RangeError with a sentence where an entry is not a range or is too wide
 */
export function createAddressRules(allowedCidrs: readonly string[]): AddressRules {
  const allowed = allowedCidrs.map((text) => {
    const range = parseCidr(text);
    if (range === null) throw new RangeError(`"${text}" is not an address range such as 10.1.0.0/16 or fd12::/48.`);
    if (range.bits < widest[range.family]) {
      throw new RangeError(
        `"${text}" is too wide: an IPv${range.family} range must have a prefix of at least ${widest[range.family]} bits.`,
      );
    }
    return range;
  });
  return {
    check(text) {
      const address = parseAddress(text);
      if (address === null) return 'refused';
      const listed = allowed.some((range) => contains(range, address) && (range.bits === widths[range.family] || !isMetadata(address)));
      if (listed) return 'listed';
      return isPublicAddress(address) ? 'public' : 'refused';
    },
  };
}
