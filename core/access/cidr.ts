import { isIPv4, isIPv6 } from 'node:net'
import { IPv4, IPv6 } from 'ipaddr.js'

/** An address as a number. IPv4 inside IPv6 (`::ffff:0:0/96`) is IPv4, whatever its spelling. */
export type Address = {
  readonly family: 4 | 6
  readonly value: bigint
  /** Canonical: dotted decimal or RFC 5952. */
  readonly text: string
}

export type Cidr = {
  readonly family: 4 | 6
  readonly network: bigint
  /** Bits below the prefix. */
  readonly hostBits: bigint
  readonly text: string
}

const bitsOf = { 4: 32, 6: 128 } as const
const mappedBits = 96
const mappedPrefix = 0xffffn
/** No longer form exists: eight groups of four, or six and a dotted quad. */
const addressCharsMax = 45

/**
 * Undefined for anything but the plain forms: no octal, decimal, hexadecimal or short IPv4, no
 * zone id, no brackets, no white space.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > addressCharsMax) return undefined
  if (isIPv4(text)) return { family: 4, value: toNumber(IPv4.parse(text)), text }
  if (text.includes('%') || !isIPv6(text)) return undefined
  const parsed = IPv6.parse(text)
  const value = toNumber(parsed)
  if (value >> 32n !== mappedPrefix) return { family: 6, value, text: parsed.toRFC5952String() }
  return { family: 4, value: value & 0xffffffffn, text: parsed.toIPv4Address().toString() }
}

function toNumber(address: IPv4 | IPv6): bigint {
  return address.toByteArray().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

/** Throws a plain `Error` that says what to write instead. */
export function parseCidr(text: string): Cidr {
  const match = /^([0-9a-fA-F:.]+)\/(0|[1-9][0-9]{0,2})$/.exec(text)
  if (match === null) throw new Error('not of the form address/prefix, e.g. 10.0.0.0/8')
  const [, addressText = '', prefixText = ''] = match
  const address = parseAddress(addressText)
  if (address === undefined) throw new Error('not an IPv4 or IPv6 address in its plain form')
  const isMapped = address.family === 4 && addressText.includes(':')
  const prefix = Number(prefixText) - (isMapped ? mappedBits : 0)
  const bits = bitsOf[address.family]
  if (prefix < 0 || prefix > bits) throw new Error(`prefix outside 0 to ${bits}`)
  const hostBits = BigInt(bits - prefix)
  const network = address.value >> hostBits
  if (network << hostBits !== address.value) {
    throw new Error('host bits are set; write the first address of the range')
  }
  return { family: address.family, network, hostBits, text: `${address.text}/${prefix}` }
}

/** The first range that holds the address; undefined when none does, so an empty list admits nobody. */
export function findCidr(cidrs: readonly Cidr[], address: Address): Cidr | undefined {
  return cidrs.find(
    (cidr) => cidr.family === address.family && address.value >> cidr.hostBits === cidr.network,
  )
}
