# METADATA
# title: No credential is written down, and none is kept in the state
# description: |
#   A literal stands in the plan in clear wherever it is written: in a provider, a variable, a module's input or a
#   resource, write-only attributes included. What is not write-only is kept in the state as well, wherever its
#   value comes from. The words of `given/credential_placeholders` are for plans without an account.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/manage-sensitive-data
#   - ref: https://developer.hashicorp.com/terraform/language/manage-sensitive-data/write-only
# scope: package
# custom:
#   severity: critical
#   remediation: |
#     Set manage_master_user_password, or a `_wo` attribute from an ephemeral resource, and take credentials of a
#     provider from the environment.
#   maps_to: [CKV_AWS_41]
package terraform.change.literal_credentials

import data.lib.plan
import data.lib.result

# By these names in any block of a resource or a provider, and by the same with `_wo`.
_attributes := {
	"access_key",
	"admin_password",
	"api_key",
	"auth_token",
	"client_secret",
	"key_material_base64",
	"master_password",
	"master_user_password",
	"passphrase",
	"password",
	"passwords",
	"private_key",
	"secret_binary",
	"secret_key",
	"secret_string",
	"token",
}

# Those that the state keeps, and that can be done without.
_kept := {
	"auth_token",
	"master_password",
	"master_user_password",
	"password",
	"passwords",
	"secret_binary",
	"secret_string",
}

_variable := `(^|_)(passw(or)?d|passphrase|secret|secret_string|token|(api|access|secret|private)_key|credentials?)$`

judged contains rc.address if some rc in plan.resources

judged contains sprintf("provider.%s", [name]) if some name, _ in _providers

deny contains result.fail(rego.metadata.chain(), written.address, written.attribute, "a literal") if {
	some written in _literals
	_is_credential(written.value)
}

deny contains result.fail(rego.metadata.chain(), address, "value", "a value that the plan shows") if {
	some name, variable in object.get(input, "variables", {})
	regex.match(_variable, name)
	_is_credential(object.get(variable, "value", null))
	address := sprintf("var.%s", [name])
}

deny contains result.fail(rego.metadata.chain(), rc.address, name, "kept in the state") if {
	some rc in plan.resources
	some name in _kept
	plan.state(rc, name) != "omitted"
	not plan.value(rc, [name]) in ["", []]
	object.get(plan.expressions(rc), [name, "constant_value"], null) == null
}

_providers := object.get(input, ["configuration", "provider_config"], {})

_literals contains {"address": sprintf("provider.%s", [key]), "attribute": name, "value": value} if {
	some key, provider in _providers
	some [name, value] in _constants(object.get(provider, "expressions", {}))
}

_literals contains {"address": address, "attribute": name, "value": value} if {
	some [names, resource] in _written("resources")
	some [name, value] in _constants(object.get(resource, "expressions", {}))
	address := concat("", [_prefix(names), resource.address])
}

_literals contains {"address": address, "attribute": name, "value": value} if {
	some [names, call] in _written("module_calls")
	some name, expression in object.get(call, "expressions", {})
	regex.match(_variable, name)
	value := object.get(expression, "constant_value", null)
	address := trim_suffix(_prefix(names), ".")
}

_literals contains {"address": sprintf("%svar.%s", [_prefix(names), name]), "attribute": "default", "value": value} if {
	walk(input.configuration.root_module, [path, variables])
	path[count(path) - 1] == "variables"
	names := _names(path)
	some name, variable in variables
	regex.match(_variable, name)
	value := object.get(variable, "default", null)
}

# What stands under a key of each module, with the names of the modules above it.
_written(key) := {[_names(path), found] |
	walk(input.configuration.root_module, [path, found])
	path[count(path) - 2] == key
	is_object(found)
}

_constants(expressions) := {[name, value] |
	walk(expressions, [path, value])
	path[count(path) - 1] == "constant_value"
	name := path[count(path) - 2]
	is_string(name)
	trim_suffix(name, "_wo") in _attributes
}

_names(path) := [path[index + 1] |
	some index, part in path
	part == "module_calls"
]

_prefix(names) := concat("", [sprintf("module.%s.", [name]) | some name in names])

# A reference to where a secret is kept is none.
_is_credential(value) if {
	is_string(value)
	value != ""
	not value in data.given.credential_placeholders
	not regex.match(`^(arn:|secret:)`, value)
}

_is_credential(values) if {
	some value in values
	value != ""
}
