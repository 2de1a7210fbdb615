# METADATA
# title: Images are admitted for who built them
# description: |
#   A ClusterImagePolicy names one issuer and one workflow at one tag, exactly: with a pattern, whoever can make
#   a matching branch can sign. It enforces, asks for the provenance, and says in which format signatures are:
#   the default finds none of those that cosign 3 writes.
# related_resources:
#   - ref: https://docs.sigstore.dev/policy-controller/overview/
# scope: package
# custom:
#   severity: critical
#   remediation: Give each authority identities with issuer and subject, signatureFormat bundle and an attestation of provenance.
#   maps_to: []
package kubernetes.admission.signatures

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains kubernetes.address if _is_ours

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_provenance := "https://slsa.dev/provenance/v1"

_findings contains value.finding(kubernetes.address, "mode", found, found == "enforce") if {
	_is_ours
	found := kubernetes.value_or(input, ["spec", "mode"], null)
}

_findings contains value.finding(kubernetes.address, "authorities", "none", count(_authorities) > 0) if _is_ours

_findings contains value.finding(_at(authority), "static", authority.static, false) if {
	some authority in _authorities
	authority.static
}

_findings contains value.finding(_at(authority), "keyless.identities", "none", count(_identities(authority)) > 0) if {
	some authority in _authorities
}

_findings contains value.finding(_at(authority), attribute, found, found != null) if {
	some authority in _authorities
	some identity in _identities(authority)
	some attribute in ["issuer", "subject"]
	found := object.get(identity, attribute, null)
}

_findings contains value.finding(_at(authority), attribute, pattern, false) if {
	some authority in _authorities
	some identity in _identities(authority)
	some attribute in ["issuerRegExp", "subjectRegExp"]
	pattern := identity[attribute]
}

_findings contains value.finding(_at(authority), "signatureFormat", found, found == "bundle") if {
	some authority in _authorities
	found := kubernetes.value_or(authority, ["signatureFormat"], null)
}

_findings contains value.finding(_at(authority), "attestations", sprintf("none of %s", [_provenance]), _provenance in types) if {
	some authority in _authorities
	types := {attestation.predicateType | some attestation in object.get(authority, "attestations", [])}
}

_is_ours if input.kind == "ClusterImagePolicy"

_authorities contains authority if {
	_is_ours
	some authority in kubernetes.value_or(input, ["spec", "authorities"], [])
}

_identities(authority) := kubernetes.value_or(authority, ["keyless", "identities"], [])

_at(authority) := sprintf("%s/%s", [kubernetes.address, object.get(authority, "name", "")])
