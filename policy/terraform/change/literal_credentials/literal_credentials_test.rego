package terraform.change.literal_credentials_test

import data.lib.test as t
import data.terraform.change.literal_credentials as rule

_id := "terraform.change.literal_credentials"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No credential is written down, and none is kept in the state",
		"msg": "No credential is written down, and none is kept in the state: a literal",
		"severity": "critical",
		"address": "aws_db_instance.this",
		"attribute": "password_wo",
		"verdict": "fail",
	}} with input as t.plan_with(
		[t.created("aws_db_instance", "this", {"password_wo": null})],
		[t.configured("aws_db_instance", "this", {"password_wo": {"constant_value": "fixture"}})],
	)
}

test_fail_literal_in_a_resource if {
	every name in _names | {sprintf("%s_wo", [name]) | some name in _names} {
		_said(t.plan_with([], [t.configured("aws_x", "this", {name: {"constant_value": "fixture"}})])) == {["aws_x.this", name]}
	}
}

test_fail_literal_in_a_block if {
	written := {"auth": [{"credentials": [{"client_secret": {"constant_value": "fixture"}}]}]}
	_said(t.plan_with([], [t.configured("aws_x", "this", written)])) == {["aws_x.this", "client_secret"]}
}

test_fail_literal_in_a_list if {
	_said(t.plan_with([], [t.configured("aws_elasticache_user", "this", {"passwords": {"constant_value": ["fixture"]}})])) == {["aws_elasticache_user.this", "passwords"]}
}

test_fail_literal_below_a_module if {
	_said(_root({"module_calls": {"db": {"module": {"module_calls": {"secret": {"module": {"resources": [t.configured("aws_x", "this", {"password": {"constant_value": "fixture"}})]}}}}}}})) == {["module.db.module.secret.aws_x.this", "password"]}
}

test_fail_input_of_a_module if {
	_said(_root({"module_calls": {"db": {"expressions": {"db_password": {"constant_value": "fixture"}}}}})) == {["module.db", "db_password"]}
}

test_fail_provider if {
	every name in ["access_key", "secret_key", "token"] {
		_said(_provider({name: {"constant_value": "fixture"}})) == {["provider.aws", name]}
	}
}

test_fail_default_of_a_variable if {
	every name in ["password", "db_password", "api_token", "client_secret", "aws_secret_key", "credentials"] {
		_said(_root({"variables": {name: {"default": "fixture"}}})) == {[sprintf("var.%s", [name]), "default"]}
	}
	_said(_root({"module_calls": {"db": {"module": {"variables": {"password": {"default": "fixture"}}}}}})) == {["module.db.var.password", "default"]}
}

test_fail_value_of_a_variable if {
	_said(_given({"db_password": {"value": "fixture"}})) == {["var.db_password", "value"]}
}

test_fail_kept_in_the_state if {
	every name in _kept {
		_said(t.plan([t.created("aws_x", "this", {name: "fixture"})])) == {["aws_x.this", name]}
		_said(t.plan_with(
			[t.created_with("aws_x", "this", {}, {name: true})],
			[t.configured("aws_x", "this", {name: {"references": ["random_password.this.result", "random_password.this"]}})],
		)) == {["aws_x.this", name]}
	}
}

# Said once, though the state keeps it as well.
test_fail_literal_that_is_kept if {
	count(rule.deny) == 1 with input as t.plan_with(
		[t.created("aws_db_instance", "this", {"password": "fixture"})],
		[t.configured("aws_db_instance", "this", {"password": {"constant_value": "fixture"}})],
	)
}

test_success if {
	every plan in [
		t.plan([t.created("aws_db_instance", "this", {"password": null, "manage_master_user_password": true})]),
		t.plan([t.created("aws_elasticache_user", "this", {"passwords": []})]),
		t.plan_with(
			[t.created_with("aws_iam_user_login_profile", "this", {}, {"password": true})],
			[t.configured("aws_iam_user_login_profile", "this", {"user": {"constant_value": "u"}})],
		),
		t.plan_with(
			[t.created("aws_x", "this", {"password_wo": null})],
			[t.configured("aws_x", "this", {"password_wo": {"references": ["ephemeral.random_password.this"]}})],
		),
		t.plan_with([], [t.configured("aws_x", "this", {"password": {"constant_value": ""}, "password_length": {"constant_value": "20"}})]),
		_provider({"access_key": {"constant_value": "offline"}, "region": {"constant_value": "eu-central-1"}}),
		_provider({"secret_key": {"references": ["var.secret_key"]}}),
		_root({"variables": {"password": {"sensitive": true}, "password_length": {"default": "20"}, "token": {"default": null}}}),
		_root({"module_calls": {"db": {"expressions": {"password": {"references": ["var.password"]}, "name": {"constant_value": "n"}}}}}),
		t.plan_with([], [t.configured("aws_elasticache_user", "this", {"passwords": {"constant_value": [""]}})]),
		_root({"outputs": {"password": {"default": "nothing"}}}),
		_given({"environment": {"value": "prod"}, "password": {}}),
	] {
		_said(plan) == set()
	}
}

# Where a secret is kept is no secret.
test_success_reference_to_a_secret if {
	every reference in ["arn:aws:secretsmanager:eu-central-1:111122223333:secret:postern", "secret:postern/database#url"] {
		_said(_given({"database_secret": {"value": reference}})) == set()
	}
}

test_judged if {
	rule.judged == {"aws_x.this", "provider.aws"} with input as object.union(
		_provider({}),
		{"resource_changes": [t.created("aws_x", "this", {})]},
	)
}

_kept := {
	"auth_token", "master_password", "master_user_password", "password", "passwords", "secret_binary",
	"secret_string",
}

_names := _kept | {
	"access_key", "admin_password", "api_key", "client_secret", "key_material_base64", "passphrase",
	"private_key", "secret_key", "token",
}

_root(module) := object.union(t.plan([]), {"configuration": {"root_module": module}})

_provider(expressions) := object.union(
	t.plan([]),
	{"configuration": {"provider_config": {"aws": {"name": "aws", "expressions": expressions}}}},
)

_given(variables) := object.union(t.plan([]), {"variables": variables})

_said(plan) := {[result.address, result.attribute] |
	some result in results
} if {
	results := rule.deny with input as plan
}
