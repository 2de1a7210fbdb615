# METADATA
# title: For tests of compose rules
# description: A service that every rule passes, and the same with something else. `null` takes a member away.
package lib.composed

# METADATA
# description: As it must be.
good := service({})

# METADATA
# description: With something else in its service.
service(change) := {
	"services": {"postern": object.union(
		{
			"image": "${POSTERN_IMAGE:?by digest}",
			"user": "65532:65532",
			"read_only": true,
			"cap_drop": ["ALL"],
			"security_opt": ["no-new-privileges:true"],
			"mem_limit": "1g",
			"cpus": 1,
			"pids_limit": 64,
			"networks": ["clients"],
			"environment": {"POSTERN_DATABASE_URL": "secret:postern/database#url"},
			"healthcheck": {"test": ["CMD", "/usr/local/bin/postern", "healthcheck"]},
		},
		change,
	)},
	"networks": {"clients": {"internal": true}},
}
