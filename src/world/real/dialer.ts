// Which addresses may be dialled, decided on the address that the socket will really use, after name resolution.

import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/** Who named the host: the config file, the admin API or a client, or the fetcher of cloud tokens. */
export type Trust = 'config' | 'public' | 'metadata';

const metadata = new BlockList();
metadata.addAddress('169.254.169.254');
metadata.addAddress('169.254.170.2');
metadata.addAddress('100.100.100.200');
metadata.addAddress('fd00:ec2::254', 'ipv6');
metadata.addAddress('fd20:ce::254', 'ipv6');

const inner = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  inner.addSubnet(network, prefix);
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  inner.addSubnet(network, prefix, 'ipv6');

/** Whether an address (not a name) may be dialled for that trust. IPv4 inside IPv6 is judged as IPv4. */
export function mayDial(address: string, trust: Trust): boolean {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
  const family = isIP(mapped);
  if (family === 0) return false;
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  if (metadata.check(mapped, kind)) return trust === 'metadata';
  return trust !== 'public' || !(inner.check(mapped, kind) || /^::ffff:/i.test(mapped));
}

export class ForbiddenAddress extends Error {
  constructor(host: string) {
    super(`the address of ${host} may not be dialled from here`);
  }
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** A resolver for `net.connect` that only ever returns addresses that may be dialled: there is no second answer to swap. */
export function guardedLookup(trust: Trust): (host: string, options: LookupOptions, done: LookupCallback) => void {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) {
        done(error, []);
        return;
      }
      const allowed = addresses.filter(({ address }) => mayDial(address, trust));
      const first = allowed[0];
      if (!first) done(new ForbiddenAddress(host), []);
      else if (options.all) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
}
