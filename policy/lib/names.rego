# METADATA
# title: Names and values of an environment
# description: |
#   The binary has ways in from its environment, one of which nothing inside it can close: with `BUN_BE_BUN` it
#   is the whole of Bun. And credentials are references into the secret store, never values.
# related_resources:
#   - ref: https://github.com/oven-sh/bun/blob/main/docs/bundler/executables.mdx
package lib.names

# METADATA
# description: Whoever sets this decides what code runs, or whom it trusts.
is_forbidden(name) if name in data.given.forbidden_names.names

is_forbidden(name) if {
	some prefix in data.given.forbidden_names.prefixes
	startswith(name, prefix)
}

# METADATA
# description: A name under which programs are given what opens something.
is_credential(name) if {
	regex.match(`(?i)(^|_)(password|passwd|secret|token|api_?key|access_?key|private_?key|credentials?)$`, name)
}

# METADATA
# description: |
#   A value that opens something: a login in a URL, a private key, a key of a cloud or of a service. Public
#   forms, from what secret scanners look for.
is_secret(value) if {
	is_string(value)
	regex.match(`://[^/\s:@]*:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{36}|\beyJ[\w-]+\.eyJ`, value)
}
