# Read by ci/terraform, ci/terraform-plan, ci/terraform-apply and test/fault/drift.ts, from the repository's root: a
# temporary working copy, so that no run leaves anything behind, and the provider without a download
# where there is a mirror. Nothing here names a place on a machine.

say() { printf '── %s\n' "$*"; }

# skip <what> <why>: loudly; under CI_STRICT=1 what cannot run has failed.
skip() {
  printf '!! SKIPPED %s: %s\n' "$1" "$2" >&2
  skipped=$((${skipped:-0} + 1))
  if [ "${CI_STRICT:-0}" = 1 ]; then status=1; fi
}

# Terraform of this machine, and nothing of its user's settings; 1 where it is missing.
find_terraform() {
  command -v terraform >/dev/null 2>&1 || return 1
  export TF_IN_AUTOMATION=1 TF_INPUT=0 CHECKPOINT_DISABLE=1 TF_CLI_ARGS=-no-color
  unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION
  AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
  export AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED
}

# TF_PROVIDER_MIRROR, else the first folder that looks like a mirror of ours, else nothing.
find_mirror() {
  if [ -n "${TF_PROVIDER_MIRROR-}" ]; then
    printf '%s\n' "$TF_PROVIDER_MIRROR"
    return
  fi
  # Not what some run has put beside its configuration.
  found=$(find / -xdev -maxdepth 8 \( -name .terraform -o -name .git -o -name node_modules \) -prune -o \
    -type d -path '*/registry.terraform.io/hashicorp/aws' -print -quit 2>/dev/null || true)
  printf '%s\n' "${found%/registry.terraform.io/hashicorp/aws}"
}

configure_provider() {
  mirror=$(find_mirror)
  TF_CLI_CONFIG_FILE=$work/terraform.rc
  export TF_CLI_CONFIG_FILE
  if [ -n "$mirror" ]; then
    printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$mirror" >"$TF_CLI_CONFIG_FILE"
  else
    say 'no mirror of the provider: the registry is asked'
    mkdir -p "$work/plugins"
    printf 'plugin_cache_dir = "%s"\n' "$work/plugins" >"$TF_CLI_CONFIG_FILE"
  fi
}

copy_tree() {
  mkdir -p "$work/deploy"
  cp -R deploy/terraform "$work/deploy/terraform"
  tree=$work/deploy/terraform
  find "$tree" -name .terraform -type d -prune -exec rm -rf {} +
  find "$tree" -name '*_override.tf' ! -path '*/tests/overrides/*' -exec rm -f {} +
}

# The digest of tests/overrides/plan.tfvars, which `ci/policy` is told to take for signed.
planned_image() { sed -n 's/^image_digest = "\(.*\)"/\1/p' "$tree/tests/overrides/plan.tfvars"; }

# init <folder> [arguments]: quiet unless it fails. A root's lock file is kept to.
init() {
  folder=$1
  shift
  lock=
  if [ -f "$tree/$folder/.terraform.lock.hcl" ]; then lock=-lockfile=readonly; fi
  if ! terraform -chdir="$tree/$folder" init $lock "$@" >"$work/init.log" 2>&1; then
    cat "$work/init.log" >&2
    return 1
  fi
}
