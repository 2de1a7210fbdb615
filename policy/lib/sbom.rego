# METADATA
# title: Reading an SBOM
# description: |
#   CycloneDX. Beside it the caller hands over the lock file of the tree that was built (`data.asked.lock`, npm's
#   third version): what must be in the SBOM does not follow from the SBOM.
# related_resources:
#   - ref: https://docs.npmjs.com/cli/configuring-npm/package-lock-json
package lib.sbom

# METADATA
# description: Every component, at whatever depth.
components contains component if {
	walk(input, [path, component])
	path[count(path) - 2] == "components"
}

# METADATA
# description: What they are, by package URL without qualifiers.
purls contains split(component.purl, "?")[0] if some component in components

# METADATA
# description: Package URLs of what production needs. What is optional may be left out on this platform.
locked contains sprintf("pkg:npm/%s@%s", [replace(name, "@", "%40"), entry.version]) if {
	some path, entry in data.asked.lock.packages
	path != ""
	not entry.dev
	not entry.optional
	parts := split(path, "node_modules/")
	name := object.get(entry, "name", parts[count(parts) - 1])
}

# METADATA
# description: The version of Bun that the tree is built with.
runtime := data.asked.lock.packages["node_modules/bun"].version
