# METADATA
# title: Every secret is rotated within 90 days
# description: |
#   Postern rotates secrets itself: such a secret bears the tags `rotated_by = postern` and `rotation_days`.
#   Any other has an `aws_secretsmanager_secret_rotation` with a rule of days, a `rate(…)`, or a `cron(…)`
#   of every month.
# related_resources:
#   - ref: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html
# scope: package
# custom:
#   severity: medium
#   remediation: Tag the secret for Postern, or give it a rotation of at most 90 days.
#   maps_to: [CKV_AWS_304, CKV2_AWS_57]
package terraform.secrets.rotation

import data.lib.finding
import data.lib.joins
import data.lib.plan
import data.lib.refs

judged contains rc.address if some rc in plan.of_type("aws_secretsmanager_secret")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_days_max := 90

_findings contains _of_tags(rc) if {
	some rc in plan.of_type("aws_secretsmanager_secret")
	count(_rotations(rc)) == 0
}

_findings contains found if {
	some rc in plan.of_type("aws_secretsmanager_secret")
	some rotation in _rotations(rc)
	not _is_by_postern(rc)
	found := finding.attribute(rotation, ["rotation_rules"], _is_often(rotation))
}

# A tag of its own may be unknown, and then the whole map is; untagged is a failure.
_of_tags(rc) := finding.uncertain(rc, ["tags_all"]) if {
	some name in ["rotated_by", "rotation_days"]
	object.get(rc.change, ["after_unknown", "tags_all", name], false) == true
} else := finding.uncertain(rc, ["tags_all"]) if {
	object.get(rc.change, ["after_unknown", "tags_all"], false) == true
	plan.state(rc, "tags") == "unknown"
} else := finding.uncertain(rc, ["tags_all"]) if {
	not _is_by_postern(rc)
	count(refs.strays("aws_secretsmanager_secret_rotation", "secret_id")) > 0
} else := finding.certain(rc, ["tags_all"], _is_by_postern(rc), "no rotation")

default _is_by_postern(_) := false

_is_by_postern(rc) if {
	plan.value(rc, ["tags_all", "rotated_by"]) == "postern"
	days := plan.value(rc, ["tags_all", "rotation_days"])
	regex.match(`^[1-9][0-9]{0,2}$`, sprintf("%v", [days]))
	to_number(days) <= _days_max
}

_rotations(rc) := joins.meaning(rc, "id", "aws_secretsmanager_secret_rotation", "secret_id")

default _is_often(_) := false

_is_often(rotation) if {
	days := plan.value(rotation, ["rotation_rules", 0, "automatically_after_days"])
	days != null
	days <= _days_max
}

_is_often(rotation) if {
	[[_, count_of, unit]] := regex.find_all_string_submatch_n(`^rate\(([0-9]+) (day|hour)s?\)$`, _schedule(rotation), 1)
	to_number(count_of) <= {"day": _days_max, "hour": _days_max * 24}[unit]
}

# Minutes, hours, day of the month, month, day of the week, year.
_is_often(rotation) if regex.match(`^cron\(\S+ \S+ \S+ \* \S+ \*\)$`, _schedule(rotation))

_schedule(rotation) := expression if {
	expression := plan.value(rotation, ["rotation_rules", 0, "schedule_expression"])
	expression != null
} else := ""
