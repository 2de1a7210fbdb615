import { type Address, type Cidr, findCidr, parseAddress } from './cidr.ts'

export type TrustedProxy = {
  readonly cidrs: readonly Cidr[]
  /** This proxy writes `address:port`. */
  readonly allowPort: boolean
}

/** One step of the walk, from the peer towards the client. */
export type Hop = { readonly address: string; readonly trustedBy: string | undefined }

export type ClientAddress =
  | { readonly isKnown: true; readonly address: Address; readonly hops: readonly Hop[] }
  | {
      readonly isKnown: false
      /** The peer's text as it came, for log and audit. */
      readonly remoteAddress: string
      readonly reason: AddressReason
      readonly hops: readonly Hop[]
    }

export type AddressReason =
  | 'address.remote_unknown'
  | 'address.remote_unparsable'
  | 'address.forwarded_too_long'
  | 'address.forwarded_too_many_hops'
  | 'address.forwarded_unparsable'

/** Real chains have one to three hops; more is somebody's filler. */
const hopsMax = 16
/** Sixteen of the longest IPv6 spellings with their ports. */
const forwardedCharsMax = 1_024

const bracketed = /^\[([^\]]+)\](?::[0-9]{1,5})?$/
const dottedWithPort = /^([0-9.]+):[0-9]{1,5}$/

/**
 * Walks the header from the right: each trusted hop vouches for the entry that it appended, and
 * the first address that is not a trusted proxy is the client. An entry that does not parse ends
 * in a refusal: skipping it would hand the decision to the entry left of it, which the caller
 * wrote. Without a header, or when every hop is trusted, the client is the peer.
 */
export function clientAddress(
  remoteAddress: string | undefined,
  forwardedFor: string | undefined,
  proxies: readonly TrustedProxy[],
): ClientAddress {
  const hops: Hop[] = []
  const unknown = (reason: AddressReason): ClientAddress => ({
    isKnown: false,
    remoteAddress: remoteAddress ?? '',
    reason,
    hops,
  })
  if (remoteAddress === undefined || remoteAddress === '') return unknown('address.remote_unknown')
  const peer = parseAddress(remoteAddress)
  if (peer === undefined) return unknown('address.remote_unparsable')

  let proxy = step(peer, proxies, hops)
  if (proxy === undefined || forwardedFor === undefined) return known(peer, hops)
  if (forwardedFor.length > forwardedCharsMax) return unknown('address.forwarded_too_long')
  const entries = forwardedFor.split(',')
  if (entries.length > hopsMax) return unknown('address.forwarded_too_many_hops')
  for (const entry of entries.reverse()) {
    const address = parseEntry(entry.trim(), proxy.allowPort)
    if (address === undefined) return unknown('address.forwarded_unparsable')
    proxy = step(address, proxies, hops)
    if (proxy === undefined) return known(address, hops)
  }
  return known(peer, hops)
}

function known(address: Address, hops: readonly Hop[]): ClientAddress {
  return { isKnown: true, address, hops }
}

/** Notes the hop; gives the proxy it belongs to, if it is one of ours. */
function step(
  address: Address,
  proxies: readonly TrustedProxy[],
  hops: Hop[],
): TrustedProxy | undefined {
  for (const proxy of proxies) {
    const cidr = findCidr(proxy.cidrs, address)
    if (cidr === undefined) continue
    hops.push({ address: address.text, trustedBy: cidr.text })
    return proxy
  }
  hops.push({ address: address.text, trustedBy: undefined })
  return undefined
}

function parseEntry(entry: string, allowPort: boolean): Address | undefined {
  if (!allowPort) return parseAddress(entry)
  const [, inside] = bracketed.exec(entry) ?? dottedWithPort.exec(entry) ?? []
  return parseAddress(inside ?? entry)
}
