#!/bin/sh
# What the daily CI run does for `postern drift`: makes a plan, says in a small manifest when it was made, of which
# environment and which bytes, signs that, and leaves all three where the workers look.
#
#   ci/drift-plan.sh <workspace> <environment> <s3://bucket/prefix | directory>
#
# POSTERN_DRIFT_SIGNING_KEY names the key as cosign takes it (a file, with COSIGN_PASSWORD, or a KMS URI); the workers have
# its public half in POSTERN_DRIFT_PLAN_KEY_FILE. Needs terraform, for S3 aws, and cosign 3, which ci/tools installs where
# it is not on PATH. A workspace that is not initialised is, by its own lock file. Exits 1 when the plan ended with an
# error (it is left all the same: the next check says so), 64 on wrong use, 69 where a tool is missing.
set -eu
umask 077

if [ $# -ne 3 ] || [ -z "${POSTERN_DRIFT_SIGNING_KEY:-}" ]; then
  echo 'usage: POSTERN_DRIFT_SIGNING_KEY=<key> ci/drift-plan.sh <workspace> <environment> <s3://bucket/prefix | directory>' >&2
  exit 64
fi
workspace=$1 environment=$2 place=${3%/}

if ! command -v terraform >/dev/null; then
  echo 'drift-plan: terraform is not on PATH' >&2
  exit 69
fi
if ! cosign=$(command -v cosign || node "$(dirname "$0")/tools.mjs" cosign); then
  echo 'drift-plan: cosign is not to be had; a plan that nobody signed is refused, so none is left' >&2
  exit 69
fi
case $environment in
  '' | *[!a-z0-9-]*) echo "drift-plan: the environment is lower-case letters, digits and dashes" >&2; exit 64 ;;
esac

# A plan holds passwords in clear text: in memory where there is a tmpfs, for its owner only, never longer than this.
scratch=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/postern-drift-plan.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ ! -d "$workspace/.terraform" ] &&
  ! terraform -chdir="$workspace" init -input=false -lockfile=readonly -no-color >/dev/null 2>"$scratch/init"; then
  cat "$scratch/init" >&2
  exit 1
fi

# Before the refresh begins: what is younger than this, the plan may not have seen.
made_at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
ended=0
# What it prints may hold values; a CI log is read by many.
terraform -chdir="$workspace" plan -input=false -lock-timeout=60s -no-color -out="$scratch/plan" \
  >/dev/null 2>&1 || ended=$?
if [ ! -f "$scratch/plan" ]; then
  echo "drift-plan: terraform plan ended with $ended and made no plan; run it by hand to see why" >&2
  exit 1
fi
terraform -chdir="$workspace" show -json "$scratch/plan" >"$scratch/plan.json" 2>/dev/null

sha256=$(sha256sum "$scratch/plan.json" | cut -d' ' -f1)
bytes=$(wc -c <"$scratch/plan.json" | tr -d ' ')
printf '{"format":"postern-drift-plan/1","madeAt":"%s","environment":"%s","planSha256":"%s","planBytes":%s}\n' \
  "$made_at" "$environment" "$sha256" "$bytes" >"$scratch/manifest.json"

# Without a transparency log: the key is known to whoever verifies.
"$cosign" signing-config create --out "$scratch/signing-config.json" >/dev/null
"$cosign" sign-blob --yes --key "$POSTERN_DRIFT_SIGNING_KEY" --signing-config "$scratch/signing-config.json" \
  --bundle "$scratch/manifest.json.sigstore.json" "$scratch/manifest.json" >/dev/null

# The manifest last: who reads between two objects sees the pair of before, or reads once more.
for object in plan.json manifest.json.sigstore.json manifest.json; do
  case $place in
    s3://*) aws s3 cp --only-show-errors "$scratch/$object" "$place/$object" ;;
    *)
      cp "$scratch/$object" "$place/.$object.new"
      mv "$place/.$object.new" "$place/$object"
      ;;
  esac
done
[ "$ended" -eq 0 ]
