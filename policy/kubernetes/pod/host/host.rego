# METADATA
# title: A pod has nothing of its host
# description: |
#   No namespaces, ports, paths or kernel settings of the node, and no kind of volume but those that Pod
#   Security calls restricted.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# scope: package
# custom:
#   severity: critical
#   remediation: Take hostNetwork, hostPID, hostIPC, hostPort, hostPath, sysctls and procMount out.
#   maps_to: [KSV-0008, KSV-0009, KSV-0010, KSV-0023, KSV-0024, KSV-0026, KSV-0027, KSV-0028]
package kubernetes.pod.host

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains container.address if some container in kubernetes.containers

judged contains address if some address in kubernetes.workloads

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_flags := {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"}

_volume_kinds := {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}

_findings contains value.finding(address, attribute, found, found in {null, false}) if {
	some address in kubernetes.workloads
	some attribute in _flags
	found := kubernetes.value_or(kubernetes.pod, [attribute], null)
}

_findings contains value.finding(address, "securityContext.sysctls", found, found in {null, []}) if {
	some address in kubernetes.workloads
	found := kubernetes.value_or(kubernetes.pod, ["securityContext", "sysctls"], null)
}

_findings contains value.finding(address, "volumes", sprintf("%s is of kind %s", [volume.name, kind]), kind in _volume_kinds) if {
	some address in kubernetes.workloads
	some volume in kubernetes.value_or(kubernetes.pod, ["volumes"], [])
	some kind, _ in object.remove(volume, ["name"])
}

_findings contains value.finding(container.address, "ports.hostPort", found, found in {null, 0}) if {
	some container in kubernetes.containers
	some port in kubernetes.value_or(container, ["ports"], [])
	found := object.get(port, "hostPort", null)
}

_findings contains value.finding(container.address, "procMount", found, found in {null, "Default"}) if {
	some container in kubernetes.containers
	found := kubernetes.setting(container, ["procMount"])
}
