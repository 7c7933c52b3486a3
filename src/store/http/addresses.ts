import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { KeepapartError } from '../../domain/errors';

/** Addresses of this machine, of private networks or of nothing, from IANA's registries of special-purpose addresses. */
const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.168.0.0', 16],
  ] as const),
  ...([
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 3],
  ] as const),
])
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ...([
    ['::', 96],
    ['64:ff9b::', 96],
    ['64:ff9b:1::', 48],
    ['100::', 64],
    ['2001::', 23],
  ] as const),
  ...([
    ['2001:db8::', 32],
    ['2002::', 16],
    ['fc00::', 7],
    ['fe80::', 9],
    ['ff00::', 8],
  ] as const),
])
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv6');

/** Whether an IP address is public; IPv4 inside IPv6 counts as IPv4. */
export function isPublicAddress(address: string): boolean {
  return !NOT_PUBLIC.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** @throws `store-away` for an address that isn't public */
export function refusePrivate(address: string): void {
  if (!isPublicAddress(address)) throw privateAddress(address);
}

function privateAddress(address: string): KeepapartError {
  return new KeepapartError(
    'store-away',
    `STORE_URL leads to ${address}, which is not a public address (STORE_PRIVATE_ADDRESSES=allow permits it)`,
  );
}

/** Looks up a host name for a connection, and refuses it if any of its addresses isn't public. */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    // There are no addresses if there is an error.
    const [first] = error === null ? addresses : [];
    if (first === undefined) {
      callback(error ?? new Error(`${hostname} has no address`), '', 0);
      return;
    }
    const refused = addresses.find(({ address }) => !isPublicAddress(address));
    if (refused !== undefined) {
      callback(privateAddress(refused.address), '', 0);
      return;
    }
    if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
