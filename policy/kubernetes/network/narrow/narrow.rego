# METADATA
# title: Each allowed flow is named
# description: |
#   Who, and on which ports. A rule without peers is everybody, one without ports is everything, and so is an
#   empty selector of namespaces or a range that holds more than one owner's addresses.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/
# scope: package
# custom:
#   severity: high
#   remediation: Name peers by labels or by a range no wider than /8, and ports.
#   maps_to: [KSV-0038]
package kubernetes.network.narrow

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains kubernetes.address if input.kind == "NetworkPolicy"

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_sides := {"ingress": "from", "egress": "to"}

# IPv4 and IPv6 prefixes that are shorter than these hold more than one owner's addresses.
_prefix_min := {"v4": 8, "v6": 32}

_findings contains value.finding(kubernetes.address, side, "no peers: everybody", count(_peers(rule, side)) > 0) if {
	some [side, rule] in _rules
}

_findings contains value.finding(kubernetes.address, side, "no ports: everything", count(object.get(rule, "ports", [])) > 0) if {
	some [side, rule] in _rules
}

_findings contains value.finding(kubernetes.address, side, "every port of a protocol", object.get(port, "port", null) != null) if {
	some [side, rule] in _rules
	some port in object.get(rule, "ports", [])
}

_findings contains value.finding(kubernetes.address, side, "all namespaces", object.get(peer, "namespaceSelector", null) != {}) if {
	some [side, rule] in _rules
	some peer in _peers(rule, side)
}

_findings contains value.finding(kubernetes.address, side, cidr, _is_narrow(cidr)) if {
	some [side, rule] in _rules
	some peer in _peers(rule, side)
	cidr := peer.ipBlock.cidr
}

# A side of each rule, once for every rule of the document.
_rules contains [side, rule] if {
	input.kind == "NetworkPolicy"
	some side, _ in _sides
	some rule in kubernetes.value_or(input, ["spec", side], [])
}

_peers(rule, side) := object.get(rule, _sides[side], [])

default _is_narrow(_) := false

_is_narrow(cidr) if to_number(split(cidr, "/")[1]) >= _prefix_min[_family(cidr)]

_family(cidr) := "v6" if {
	contains(cidr, ":")
} else := "v4"
