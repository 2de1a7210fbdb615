package lib.kubernetes_test

import data.lib.kubernetes
import data.lib.manifest as m

test_success_every_place_of_a_pod if {
	spec := m.good.spec.template.spec
	every document in [
		m.good,
		{"kind": "Deployment", "metadata": {"name": "gateway"}, "spec": spec},
		{"kind": "Deployment", "metadata": {"name": "gateway"}, "spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}},
	] {
		kubernetes.pod == spec with input as document
		{container.address | some container in kubernetes.containers} == {"Deployment/gateway/gateway"} with input as document
		kubernetes.workloads == {"Deployment/gateway"} with input as document
	}
}

test_success_no_pod if {
	every document in [m.document("Service", "postern", {}), {"kind": "Namespace"}] {
		count(kubernetes.workloads | kubernetes.containers) == 0 with input as document
	}
}

test_success_every_sort_of_container if {
	{container.name | some container in kubernetes.containers} == {"first", "gateway", "late"} with input as m.pod({
		"initContainers": [{"name": "first"}],
		"ephemeralContainers": [{"name": "late"}],
	})
}

test_success_of_the_container_before_its_pod if {
	kubernetes.setting({"securityContext": {"runAsUser": 1}}, ["runAsUser"]) == 1 with input as m.good
	kubernetes.setting({}, ["runAsUser"]) == 65532 with input as m.good
	kubernetes.setting({}, ["procMount"]) == null with input as m.good
}

test_success_jobs if {
	kubernetes.is_job with input as {"kind": "CronJob"}
	not kubernetes.is_job with input as m.good
}
