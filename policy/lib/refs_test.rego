package lib.refs_test

import data.lib.refs
import data.lib.test as t

_bucket := "aws_s3_bucket"

_versioning := "aws_s3_bucket_versioning"

test_target_in_the_same_module if {
	refs.targets(_sibling, ["bucket"]) == {"aws_s3_bucket.b"} with input as _flat
	refs.refers_to(_sibling, ["bucket"], t.created(_bucket, "b", {})) with input as _flat
	not refs.refers_to(_sibling, ["bucket"], t.created(_bucket, "c", {})) with input as _flat
}

test_target_of_an_instance if {
	refs.refers_to(_sibling, ["bucket"], _instance(t.created(_bucket, "b", {}), "one")) with input as _flat
}

test_target_in_a_block if {
	written := {"rule": [{"target": [{"key": {"references": ["data.aws_kms_key.k.arn", "data.aws_kms_key.k"]}}]}]}
	refs.targets(_sibling, ["rule"]) == {"data.aws_kms_key.k"} with input as t.plan_with(
		[_sibling],
		[t.configured(_versioning, "v", written)],
	)
}

test_nothing_written_has_no_target if {
	refs.targets(_sibling, ["other"]) == set() with input as _flat
}

# Locals and the like leave no trace, and what names an attribute or an instance is listed whole as well.
test_what_is_no_resource if {
	references := [
		"var.name", "local.name", "each.key", "path.module", "terraform.workspace", "self.id", "count.index",
		"aws_s3_bucket.b[0].id", "aws_s3_bucket.b[0]", "module.a.b", "data.aws_kms_key.k[0]",
	]
	refs.targets(_sibling, ["bucket"]) == set() with input as t.plan_with(
		[_sibling],
		[t.configured(_versioning, "v", {"bucket": {"references": references}})],
	)
}

# The sibling's module is given the name by its caller, which has it from an output of another.
test_target_through_inputs_and_outputs if {
	refs.targets(_in_module, ["bucket"]) == {"module.buckets.aws_s3_bucket.b"} with input as _modules
	bucket := object.union(t.created(_bucket, "b", {}), {
		"address": `module.buckets.aws_s3_bucket.b["one"]`,
		"module_address": "module.buckets",
	})
	refs.refers_to(_in_module, ["bucket"], bucket) with input as _modules
	not refs.refers_to(_in_module, ["bucket"], t.created(_bucket, "b", {})) with input as _modules
}

test_target_of_each_value if {
	configured := object.union(
		t.configured(_versioning, "v", {"bucket": {"references": ["each.value.id", "each.value"]}}),
		{"for_each_expression": {"references": ["aws_s3_bucket.b"]}},
	)
	refs.targets(_sibling, ["bucket"]) == {"aws_s3_bucket.b"} with input as t.plan_with([_sibling], [configured])
}

test_key_alone_is_no_target if {
	configured := object.union(
		t.configured(_versioning, "v", {"bucket": {"references": ["each.key"]}}),
		{"for_each_expression": {"references": ["aws_s3_bucket.b"]}},
	)
	refs.targets(_sibling, ["bucket"]) == set() with input as t.plan_with([_sibling], [configured])
}

test_same_instance if {
	one := _instance(_sibling, "one")
	refs.same_instance(one, _instance(_sibling, "one"))
	not refs.same_instance(one, _instance(_sibling, "two"))
	refs.same_instance(one, _sibling)
	refs.same_instance(_sibling, one)
	refs.same_instance(_sibling, _sibling)
}

test_siblings_by_reference if {
	bucket := t.created(_bucket, "b", {})
	refs.siblings(bucket, _versioning, "bucket") == {_sibling} with input as _flat
	refs.siblings(t.created(_bucket, "c", {}), _versioning, "bucket") == set() with input as _flat
	refs.siblings(bucket, "aws_s3_bucket_policy", "bucket") == set() with input as _flat
}

test_siblings_by_value if {
	sibling := t.created(_versioning, "v", {"bucket": "audit"})
	every own in ["id", "bucket", "name", "arn"] {
		bucket := t.created(_bucket, "b", {own: "audit"})
		refs.siblings(bucket, _versioning, "bucket") == {sibling} with input as t.plan([bucket, sibling])
		other := t.created(_bucket, "b", {own: "logs"})
		refs.siblings(other, _versioning, "bucket") == set() with input as t.plan([other, sibling])
	}
}

# Two that have no name yet do not have the same one.
test_no_siblings_by_nothing if {
	bucket := t.created(_bucket, "b", {"bucket": null})
	sibling := t.created(_versioning, "v", {"bucket": null})
	refs.siblings(bucket, _versioning, "bucket") == set() with input as t.plan([bucket, sibling])
}

test_siblings_of_one_instance if {
	one := _instance(_sibling, "one")
	two := _instance(_sibling, "two")
	bucket := _instance(t.created(_bucket, "b", {}), "one")
	refs.siblings(bucket, _versioning, "bucket") == {one} with input as t.plan_with(
		[bucket, one, two],
		[t.configured(_versioning, "v", _names_bucket)],
	)
}

test_strays_through_a_local if {
	unknown := t.created_with(_versioning, "v", {}, {"bucket": true})
	refs.strays(_versioning, "bucket") == {unknown} with input as t.plan_with(
		[unknown],
		[t.configured(_versioning, "v", {"bucket": {"references": ["local.bucket"]}})],
	)
	refs.strays(_versioning, "bucket") == set() with input as t.plan_with(
		[unknown],
		[t.configured(_versioning, "v", _names_bucket)],
	)
	refs.strays(_versioning, "bucket") == set() with input as t.plan([_sibling])
}

_sibling := t.created(_versioning, "v", {})

_names_bucket := {"bucket": {"references": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]}}

_flat := t.plan_with([_sibling], [t.configured(_versioning, "v", _names_bucket)])

_instance(rc, key) := object.union(rc, {"address": sprintf(`%s["%s"]`, [rc.address, key]), "index": key})

_in_module := object.union(_sibling, {
	"address": "module.versions.module.one.aws_s3_bucket_versioning.v",
	"module_address": "module.versions.module.one",
})

_modules := object.union(t.plan([_in_module]), {"configuration": {"root_module": {"module_calls": {
	"buckets": {"module": {
		"outputs": {"name": {"expression": {"references": ["aws_s3_bucket.b"]}}},
		"resources": [t.configured(_bucket, "b", {})],
	}},
	"versions": {
		"expressions": {"name": {"references": ["module.buckets.name", "module.buckets"]}},
		"module": {"module_calls": {"one": {
			"expressions": {"bucket": {"references": ["var.name"]}},
			"module": {"resources": [t.configured(_versioning, "v", {"bucket": {"references": ["var.bucket"]}})]},
		}}},
	},
}}}})
