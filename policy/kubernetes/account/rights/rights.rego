# METADATA
# title: Nobody is given a way into a pod
# description: |
#   `kubectl exec` sets an environment of its own, and with it BUN_BE_BUN; so do attached containers. A right to
#   everything holds these, and the rights to bind and to escalate hold every other.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# scope: package
# custom:
#   severity: critical
#   remediation: Name resources and verbs; leave pods/exec, pods/attach, pods/ephemeralcontainers, bind, escalate and impersonate out.
#   maps_to: []
package kubernetes.account.rights

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains kubernetes.address if input.kind in _roles

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_resources := {"*", "pods/*", "pods/exec", "pods/attach", "pods/ephemeralcontainers", "pods/portforward", "secrets"}

_verbs := {"*", "bind", "escalate", "impersonate"}

_roles := {"Role", "ClusterRole"}

_findings contains value.finding(kubernetes.address, attribute, word, count({word} & forbidden) == 0) if {
	input.kind in _roles
	some rule in kubernetes.value_or(input, ["rules"], [])
	some attribute, forbidden in {"resources": _resources, "verbs": _verbs}
	some word in object.get(rule, attribute, [])
}
