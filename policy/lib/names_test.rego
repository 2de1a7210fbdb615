package lib.names_test

import data.lib.names

test_fail_forbidden if {
	every name in ["BUN_BE_BUN", "BUN_OPTIONS", "LD_PRELOAD", "NODE_OPTIONS"] { names.is_forbidden(name) }
}

test_success_not_forbidden if {
	every name in ["POSTERN_MODE", "BUNDLE", "PATH", "NODE_EXTRA_CA_CERTS"] { not names.is_forbidden(name) }
}

test_fail_credential if {
	every name in ["PASSWORD", "POSTGRES_PASSWORD", "api_key", "GITHUB_TOKEN"] { names.is_credential(name) }
}

test_success_no_credential if {
	every name in ["POSTGRES_PASSWORD_FILE", "POSTERN_SECRET_STORE", "TOKENS"] { not names.is_credential(name) }
}

test_fail_secret if {
	every value in [
		"postgres://app:hunter2@db/postern",
		"-----BEGIN EC PRIVATE KEY-----",
		concat("", ["AKIA", "IOSFODNN7EXAMPLE"]),
	] {
		names.is_secret(value)
	}
}

test_success_no_secret if {
	every value in ["secret:postern/database#url", "https://vault:8200", 7, null] { not names.is_secret(value) }
}
