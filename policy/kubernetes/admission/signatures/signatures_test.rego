package kubernetes.admission.signatures_test

import data.kubernetes.admission.signatures as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.admission.signatures"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Images are admitted for who built them",
		"msg": "Images are admitted for who built them: warn",
		"severity": "critical",
		"address": "ClusterImagePolicy/postern",
		"attribute": "mode",
		"verdict": "fail",
	}} with input as _policy({"mode": "warn"}, {})
}

test_fail_each_authority if {
	every attribute, change in {
		"static": {"static": {"action": "pass"}},
		"keyless.identities": {"keyless": null, "key": {"data": "a public key"}},
		"subject": {"keyless": {"identities": [{"issuer": "https://issuer"}]}},
		"signatureFormat": {"signatureFormat": null},
		"attestations": {"attestations": [{"predicateType": "https://cyclonedx.org/bom"}]},
	} {
		t.brief(rule.deny) == {[_id, "fail", "ClusterImagePolicy/postern/release", attribute]} with input as _policy({}, change)
	}
}

test_fail_pattern if {
	t.brief(rule.deny) == {[_id, "fail", "ClusterImagePolicy/postern/release", "subjectRegExp"]} with input as _policy({}, {"keyless": {"identities": [{
		"issuer": "https://issuer",
		"subject": "https://workflow@refs/tags/v1",
		"subjectRegExp": "^https://workflow@refs/.*$",
	}]}})
}

test_fail_nobody if {
	t.brief(rule.deny) == {[_id, "fail", "ClusterImagePolicy/postern", "authorities"]} with input as _policy({"authorities": []}, {})
}

test_success_exact if {
	count(rule.deny | rule.unknown) == 0 with input as _policy({}, {})
	rule.judged == {"ClusterImagePolicy/postern"} with input as _policy({}, {})
}

test_unknown_subject if {
	t.brief(rule.unknown) == {[_id, "unknown", "ClusterImagePolicy/postern/release", "subject"]} with input as _policy({}, {"keyless": {"identities": [{"issuer": "https://issuer", "subject": "https://workflow@${REF}"}]}})
}

_policy(change, authority_change) := m.document("ClusterImagePolicy", "postern", {"spec": object.union(
	{"mode": "enforce", "authorities": [object.union(
		{
			"name": "release",
			"signatureFormat": "bundle",
			"keyless": {"identities": [{"issuer": "https://issuer", "subject": "https://workflow@refs/tags/v1"}]},
			"attestations": [{"predicateType": "https://slsa.dev/provenance/v1"}],
		},
		authority_change,
	)]},
	change,
)})
