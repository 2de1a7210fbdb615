import type { Admission } from './access-control.ts'
import type { AccessRules } from './access-file.ts'
import { findCidr } from './cidr.ts'
import { type ClientAddress, clientAddress, type Hop } from './client-address.ts'
import type { Zone } from './principal.ts'

/** An admission with the way that led to it. */
export type AddressVerdict = { readonly admission: Admission; readonly hops: readonly Hop[] }

/** Which rule admits or refuses an address in a zone; pure. */
export function explainAddress(
  rules: Pick<AccessRules, 'zones' | 'trustedProxies'>,
  zone: Zone,
  remoteAddress: string | undefined,
  forwardedFor: string | undefined,
): AddressVerdict {
  const found = clientAddress(remoteAddress, forwardedFor, rules.trustedProxies.proxies)
  return { admission: admissionOf(rules, zone, found), hops: found.hops }
}

function admissionOf(
  rules: Pick<AccessRules, 'zones'>,
  zone: Zone,
  found: ClientAddress,
): Admission {
  if (!found.isKnown) {
    return { admitted: false, clientAddress: found.remoteAddress, reason: found.reason }
  }
  const cidr = findCidr(rules.zones[zone], found.address)
  const { text } = found.address
  return cidr === undefined
    ? { admitted: false, clientAddress: text, reason: 'address.not_in_zone' }
    : { admitted: true, clientAddress: text, rule: `zones.${zone} ${cidr.text}` }
}
