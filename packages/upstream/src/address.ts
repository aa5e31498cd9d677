/** Which IP addresses may be dialled. Pure: text in, verdict out. */
import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address and how many bits of it count. */
type Range = readonly [base: Address, bits: number];

const widths = { ipv4: 32, ipv6: 128 } as const;

/** Reads an IPv4 or IPv6 address, with or without brackets; an IPv4-mapped one (RFC 4291 §2.5.5.2) is the IPv4 address. */
export function parseAddress(text: string): Address | null {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  // The platform's reading first: the library takes forms of IPv4 addresses (octal, two parts) that not everybody does.
  const family = isIP(bare);
  if (family === 0) return null;
  if (family === 4) return ipaddr.IPv4.parse(bare);
  const zone = bare.indexOf('%');
  return ipaddr.process(inHex(zone === -1 ? bare : bare.slice(0, zone)));
}

/** With the last 32 bits in hexadecimal: the library takes `::1.2.3.4` for `::ffff:1.2.3.4`. */
function inHex(text: string): string {
  if (!text.includes('.')) return text;
  const dotted = text.lastIndexOf(':') + 1;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(text.slice(dotted)).octets;
  return `${text.slice(0, dotted)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** Reads `10.0.0.0/8` or one address; null where it is neither. */
export function parseCidr(text: string): Range | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === null || text.includes('%')) return null;
  const width = widths[address.kind()];
  if (slash === -1) return [address, width];
  const suffix = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(suffix) || Number(suffix) > width) return null;
  return [address, Number(suffix)];
}

const contains = ([base, bits]: Range, address: Address): boolean => base.kind() === address.kind() && address.match(base, bits);

const ranges = (...texts: string[]): readonly Range[] => texts.map((text) => parseCidr(text)!);

/** Services that hand out credentials of the machine itself; a wide range never opens them, only their own address does. */
const metadata = ranges(
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '169.254.169.253',
  '169.254.0.23',
  '169.254.42.42',
  '168.63.129.16',
  '100.100.100.200',
  '100.96.0.96',
  '192.0.0.192',
  'fd00:ec2::/32',
  'fd20:ce::254',
  'fd00:42::42',
  'fd00:a9fe:a9fe::1',
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

/**
 * Where an IPv6 address may hold the IPv4 address that it reaches, as indices of its 16 bytes: translation by RFC 6052
 * §2.2 with prefixes of 96 (also IPv4-compatible, IPv4-translated and ISATAP), 64, 56, 48, 40 and 32 bits (the last of
 * which is where Teredo has its server), and 6to4 (RFC 3056).
 */
const embeddings = [
  [12, 13, 14, 15],
  [9, 10, 11, 12],
  [7, 9, 10, 11],
  [6, 7, 9, 10],
  [5, 6, 7, 9],
  [4, 5, 6, 7],
  [2, 3, 4, 5],
] as const;
const teredo = parseCidr('2001::/32')!;

/**
 * Any operator may translate under any prefix, so every IPv6 address counts that holds a metadata service's IPv4 address
 * in one of these places: of the others hardly any does.
 */
function isMetadata(address: Address): boolean {
  const isOne = (one: Address): boolean => metadata.some((range) => contains(range, one));
  if (isOne(address)) return true;
  if (address.kind() === 'ipv4') return false;
  const bytes = address.toByteArray();
  if (embeddings.some((places) => isOne(new ipaddr.IPv4(places.map((place) => bytes[place]!))))) return true;
  // RFC 4380 §4: the client's address, inverted.
  return contains(teredo, address) && isOne(new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff)));
}

/** True for an address on the public internet; false for everything private, special, unknown or unparsable. */
export function isPublicAddress(address: Address): boolean {
  if (isMetadata(address)) return false;
  if (address.kind() === 'ipv4') return !notPublic4.some((range) => contains(range, address));
  if (contains(nat64, address)) return isPublicAddress(new ipaddr.IPv4(address.toByteArray().slice(12)));
  return contains(global6, address) && !notPublic6.some((range) => contains(range, address));
}

/** Ranges wider than these would switch the guard off. */
const widest = { ipv4: 8, ipv6: 7 } as const;

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
    const [base, bits] = range;
    const kind = base.kind();
    if (bits < widest[kind]) {
      throw new RangeError(
        `"${text}" is too wide: an ${kind === 'ipv4' ? 'IPv4' : 'IPv6'} range must have a prefix of at least ${widest[kind]} bits.`,
      );
    }
    return range;
  });
  return {
    check(text) {
      const address = parseAddress(text);
      if (address === null) return 'refused';
      const listed = allowed.some((range) => contains(range, address) && (range[1] === widths[address.kind()] || !isMetadata(address)));
      if (listed) return 'listed';
      return isPublicAddress(address) ? 'public' : 'refused';
    },
  };
}
