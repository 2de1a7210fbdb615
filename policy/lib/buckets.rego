# METADATA
# title: What a bucket is for, and what its policy says
# description: |
#   Some buckets are judged in another way than the rest: those of the audit log, those that AWS writes logs and
#   trails into, and the one of Terraform's state.
package lib.buckets

import data.lib.iam
import data.lib.plan
import data.lib.refs

# METADATA
# description: |
#   `audit`, `logs`, `trail`, `state` or whatever the tag `data_class` says, which decides. Without one a name that
#   has one of these words in it does, `""` where none has, and `unknown` where the tag is not known.
class(bucket) := tag if {
	tag := plan.value(bucket, ["tags_all", "data_class"])
	tag != null
} else := "unknown" if {
	_is_tag_unknown(bucket)
} else := name if {
	some index, name in _by_name
	_is_named(bucket, name)
	every before in array.slice(_by_name, 0, index) { not _is_named(bucket, before) }
} else := ""

_is_tag_unknown(bucket) if object.get(bucket.change, ["after_unknown", "tags_all", "data_class"], false) == true

# One tag that is not known makes the whole map so.
_is_tag_unknown(bucket) if plan.state(bucket, "tags") == "unknown"

# The first that is found. A bucket `audit-logs` holds audit records until its tag says otherwise, and
# `state-logs` those who read the state.
_by_name := ["audit", "logs", "trail", "state"]

_is_named(bucket, name) if {
	some own in [
		bucket.name,
		object.get(bucket, "index", ""),
		plan.value(bucket, ["bucket"]),
		plan.value(bucket, ["bucket_prefix"]),
	]
	some word in regex.split(`[^a-z0-9]+`, lower(sprintf("%v", [own])))
	trim_prefix(word, "tf") == name
}

# METADATA
# description: Its policies, as `lib.iam` reads them, each with the resource that holds it.
policies(bucket) := {{"rc": rc, "policy": iam.policy(rc, "policy")} |
	some rc in refs.siblings(bucket, "aws_s3_bucket_policy", "bucket")
}

# METADATA
# description: Everybody is meant, AWS accounts and the public alike.
is_for_everyone(statement) if {
	some [type, id] in statement.principals
	type in {"*", "AWS"}
	id == "*"
}

is_for_everyone(statement) if count(statement.not_principals) > 0

# METADATA
# description: It denies an action to everybody, on the whole bucket, as far as its conditions hold.
denies_everyone(statement, action) if {
	not statement.allows
	count(statement.not_principals) == 0
	is_for_everyone(statement)
	_covers(statement, action)
	_is_whole(statement)
}

# METADATA
# description: |
#   Something in the policy that is not known might be the denial that is looked for.
is_unclear(policy) if policy.state == "unknown"

is_unclear(policy) if {
	some statement in policy.statements
	not statement.allows
	count(statement.unknown) > 0
}

_covers(statement, action) if {
	some pattern in statement.actions
	iam.covers(pattern, action)
}

_covers(statement, action) if {
	count(statement.not_actions) > 0
	every pattern in statement.not_actions { not iam.covers(pattern, action) }
}

# The bucket, or everything in it. What refers to the bucket of the same plan stands as its address.
_is_whole(statement) if {
	some resource in statement.resources
	regex.match(`^(\*|arn:[^/]*(/\*)?)$`, resource)
}

_is_whole(statement) if {
	some resource in statement.resources
	regex.match(`(^|\.)aws_s3_bucket\.`, resource)
}
