import { BlockList, isIPv6 } from 'node:net';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createAddressRules, isPublicAddress, parseAddress, parseCidr } from './address.ts';

const rules = createAddressRules([]);
const refused = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '168.63.129.16',
  '100.100.100.200',
  '::',
  '::1',
  '::2',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '::127.0.0.1',
  '64:ff9b::127.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:2::1',
  '2001:10::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:808:808::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '[::1]',
  '4000::1',
  '',
  'localhost',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '0x7f.0.0.1',
];
const open = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '128.0.0.1',
  '169.253.255.255',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.1',
  '192.167.255.255',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
  '2606:4700:4700::1111',
  '2a00:1450::1',
  '[2606:4700::1]',
];

describe('without allowed ranges', () => {
  it.each(refused)('refuses %j', (address) => expect(rules.check(address)).toBe('refused'));
  it.each(open)('takes %s for public', (address) => expect(rules.check(address)).toBe('public'));
});

describe('allowed ranges', () => {
  it('open what is in them and nothing else', () => {
    const some = createAddressRules(['10.1.0.0/16', 'fd12::/48', '127.0.0.1']);
    expect(some.check('10.1.255.255')).toBe('listed');
    expect(some.check('::ffff:10.1.0.1')).toBe('listed');
    expect(some.check('127.0.0.1')).toBe('listed');
    expect(some.check('fd12::1')).toBe('listed');
    expect(some.check('10.2.0.0')).toBe('refused');
    expect(some.check('127.0.0.2')).toBe('refused');
    expect(some.check('fd12:1::1')).toBe('refused');
    expect(some.check('64:ff9b::10.1.0.1')).toBe('refused');
    expect(some.check('8.8.8.8')).toBe('public');
  });

  it('open a metadata service only by its own address', () => {
    expect(createAddressRules(['169.254.0.0/16']).check('169.254.1.1')).toBe('listed');
    expect(createAddressRules(['169.254.0.0/16']).check('169.254.169.254')).toBe('refused');
    expect(createAddressRules(['fc00::/7']).check('fd00:ec2::254')).toBe('refused');
    expect(createAddressRules(['169.254.169.254/32']).check('169.254.169.254')).toBe('listed');
  });

  describe('open no metadata service that an IPv6 address only holds', () => {
    const wide = createAddressRules(['::/8', '64:ff9b::/32', '2001::/16', '2002::/16', 'fc00::/7', 'fe80::/10']);
    it.each([
      ['IPv4-compatible', '::169.254.169.254'],
      ['IPv4-translated (RFC 2765)', '::ffff:0:169.254.169.254'],
      ['NAT64 (RFC 6052)', '64:ff9b::169.254.169.254'],
      ['NAT64 of local use, a prefix of 96 bits (RFC 8215)', '64:ff9b:1::169.254.169.254'],
      ['NAT64 of local use, 96 bits under a subnet', '64:ff9b:1:fffe::169.254.170.2'],
      ['NAT64 of local use, 48 bits', '64:ff9b:1:a9fe:a9:fe00::'],
      ['NAT64 of local use, 56 bits', '64:ff9b:1:00a9:fe:a9fe::'],
      ['NAT64 of local use, 64 bits', '64:ff9b:1:0:a9:fea9:fe00:0'],
      ["NAT64 under a network's own prefix", 'fd64:1:2:3::169.254.169.254'],
      ['6to4', '2002:a9fe:a9fe::1'],
      ['Teredo, the server', '2001:0:a9fe:a9fe::1'],
      ['Teredo, the client', '2001:0:4136:e378:8000:63bf:5601:5601'],
      ['ISATAP', 'fd00::5efe:169.254.169.254'],
      ['link-local', 'fe80::a9fe:a9fe'],
      ['Azure', '64:ff9b::168.63.129.16'],
      ['Alibaba', '64:ff9b:1::100.100.100.200'],
    ])('%s: %s', (_form, address) => {
      expect(wide.check(address)).toBe('refused');
      expect(createAddressRules([address]).check(address)).toBe('listed');
    });

    it('while their neighbours are open', () => {
      for (const address of ['64:ff9b:1::10.1.2.3', '2002:a01:203::1', 'fd64:1:2:3::169.254.169.1', '2001:0:4136:e378::1'])
        expect(wide.check(address)).toBe('listed');
    });
  });

  it('are refused when they are no ranges or would switch the guard off', () => {
    for (const text of [
      '',
      'x',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/08',
      'fe80::/129',
      'fe80::1%eth0/64',
      '10.0.0/8',
      '10.0.0.0/8/8',
    ]) {
      expect(() => createAddressRules([text])).toThrow('not an address range');
    }
    expect(() => createAddressRules(['0.0.0.0/0'])).toThrow('too wide');
    expect(() => createAddressRules(['::/0'])).toThrow('too wide');
    expect(() => createAddressRules(['::ffff:0:0/7'])).toThrow('too wide');
  });

  it('agree with the platform on what is in a range (property)', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 8, max: 32 }), (network, address, bits) => {
        const list = new BlockList();
        list.addSubnet(network, bits, 'ipv4');
        const isListed = createAddressRules([`${network}/${bits}`]).check(address) === 'listed';
        if (list.check(address, 'ipv4')) expect(isListed || !isPublicAddress(parseAddress(address)!)).toBe(true);
        else expect(isListed).toBe(false);
      }),
    );
  });
});

describe('addresses', () => {
  it('have one value in whatever way they are written (property)', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        fc.pre(isIPv6(text));
        const canonical = new URL(`http://[${text}]/`).hostname;
        expect(parseAddress(text)).toEqual(parseAddress(canonical));
        expect(parseAddress(text.toUpperCase())).toEqual(parseAddress(canonical));
      }),
    );
  });

  it('of IPv4 get the same verdict when mapped into IPv6 (property)', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        const hex = text
          .split('.')
          .map((part) => Number(part).toString(16).padStart(2, '0'))
          .join('');
        for (const mapped of [`::ffff:${text}`, `::ffff:${hex.slice(0, 4)}:${hex.slice(4)}`, `0:0:0:0:0:FFFF:${text}`])
          expect(rules.check(mapped)).toBe(rules.check(text));
        expect(rules.check(`64:ff9b::${text}`)).toBe(rules.check(text));
        expect(rules.check(`2002:${hex.slice(0, 4)}:${hex.slice(4)}::1`)).toBe('refused');
      }),
    );
  });

  it('that are no addresses never throw (property)', () => {
    fc.assert(fc.property(fc.string(), (text) => void [parseAddress(text), parseCidr(text), rules.check(text)]));
  });
});
