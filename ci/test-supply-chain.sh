#!/bin/sh
# The supply chain both ways, on a registry and with a key of its own, asking nobody: what is right
# passes, and each thing that is wrong is refused. `ci/test-supply-chain.sh`; about ten minutes, the
# first time longer, for tools are built. Needs docker with BuildKit (as root it starts a daemon),
# Debian's apt-get where no registry answers, and a tree without changes.
# Exits 1 when anything went otherwise than the table at the end wants it.
set -u
cd "$(dirname "$0")/.."
work=$(mktemp -d)
registry_pid=
failed=0
. ci/image-common.sh

finish() {
  if [ -n "$registry_pid" ]; then kill "$registry_pid" && wait "$registry_pid"; fi
  stop_daemon
  rm -rf "$work"
} 2>/dev/null
trap finish EXIT
trap 'exit 1' INT TERM

# expect <exit code> <what it shows> <command …>; its JSON line is in $work/line afterwards.
expect() {
  wanted=$1 what=$2
  shift 2
  "$@" >"$work/line" 2>"$work/told"
  code=$?
  if [ "$code" -eq "$wanted" ]; then verdict=ok; else verdict=FAILED failed=1; fi
  if [ "$verdict" = FAILED ]; then cat "$work/told" "$work/line" >&2; fi
  printf '%-7s %-74s exit %s\n' "$verdict" "$what" "$code" | tee -a "$work/table" >&2
}

tool() { node ci/tools.mjs "$1"; }
strict() { CI_STRICT=1 "$@"; }
# Here nobody is asked, so some checks cannot be judged; each says so on stderr.
lax() { CI_STRICT=0 "$@"; }

crane=$(tool crane) && cosign=$(tool cosign) && tool syft >/dev/null && tool osv-scanner >/dev/null || exit 1
choose_client
start_daemon --iptables=false
export DOCKER_CONFIG="$work/docker" COSIGN_PASSWORD=proof POSTERN_CI_METRICS="$work/metrics"

say 'a registry and a key'
mkdir "$work/registry"
port=$(node -e 's=require("node:net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
"$crane" registry serve --address "127.0.0.1:$port" --disk "$work/registry" >"$work/registry.log" 2>&1 &
registry_pid=$!
registry=127.0.0.1:$port
for _ in $(seq 50); do "$crane" catalog "$registry" >/dev/null 2>&1 && break; sleep 0.2; done
(cd "$work" && "$cosign" generate-key-pair && mkdir other && cd other && "$cosign" generate-key-pair) >/dev/null 2>&1
key=$work/cosign.key pub=$work/cosign.pub

say 'the build'
expect 0 'two clean builds give the same binary' strict ci/reproducible
import_stand_in "$registry/distroless/base:nonroot"
"$docker" push --quiet "$registry/distroless/base:nonroot" >/dev/null || exit 1
base=$registry/distroless/base:nonroot@$("$crane" digest "$registry/distroless/base:nonroot")
expect 2 'no image is built on a base without a digest' ci/image-build "$registry/postern:v0.0.1" "${base%@*}"
expect 0 'the image is built and pushed' ci/image-build "$registry/postern:v0.0.1" "$base"
image=$(cat dist/image)

say 'pins'
printf 'ARG BUILD=%s\nARG BASE=%s\n' "${base%@*}" "${base%@*}" >"$work/Dockerfile"
expect 2 'a base without a digest is unknown' ci/pin --check --file "$work/Dockerfile"
expect 0 'ci/pin writes what the registry says' ci/pin --file "$work/Dockerfile"
expect 0 'and it is that' ci/pin --check --file "$work/Dockerfile"
if [ "$(grep -c "@${base#*@}$" "$work/Dockerfile")" -ne 2 ]; then failed=1; echo 'FAILED  the pins are not the digest' >&2; fi
printf 'ARG BUILD=127.0.0.1:1/x:1\nARG BASE=127.0.0.1:1/x:1\n' >"$work/Away"
cp "$work/Away" "$work/Away.before"
expect 2 'a registry that is away pins nothing' ci/pin --file "$work/Away"
expect 0 'and leaves the file as it was' cmp "$work/Away" "$work/Away.before"

say 'the SBOM'
expect 0 'the SBOM names every locked package, Bun, and the base; the binary is ours' strict ci/sbom
node -e '
  const sbom = JSON.parse(require("node:fs").readFileSync("dist/sbom/postern.cdx.json", "utf8"))
  const count = (start) => sbom.components.filter(({ purl }) => purl.startsWith(start)).length
  console.error(`        npm ${count("pkg:npm/")}, Bun ${count("pkg:generic/bun@")}, Debian ${count("pkg:deb/")}`)'
cp -r dist/sbom "$work/sbom"
strict ci/sbom >/dev/null 2>&1
expect 0 'made again it has the same bytes' diff -r dist/sbom "$work/sbom"

say 'the signature'
expect 1 'before it is signed it is not ours' ci/verify "$image" --key "$pub"
expect 0 'signed and attested, with the binary' ci/sign "$image" --key "$key"
expect 0 'and verified, of this commit' ci/verify "$image" --key "$pub" --commit "$(git rev-parse HEAD)" --out "$work/kept"
expect 0 'the SBOM that was attested is the one that was written' node -e '
  const { readFileSync } = require("node:fs"), { deepStrictEqual } = require("node:assert")
  const read = (path) => JSON.parse(readFileSync(path, "utf8"))
  deepStrictEqual(read(process.argv[1]), read("dist/sbom/postern.cdx.json"))' "$work/kept/cyclonedx.json"
expect 1 'by another key it is not ours' ci/verify "$image" --key "$work/other/cosign.pub"
expect 1 'of another commit it is not' ci/verify "$image" --key "$pub" --commit 0000000000000000000000000000000000000000
expect 2 'a registry that is away verifies nothing' ci/verify "127.0.0.1:1/postern@${image#*@}" --key "$pub"
expect 64 'a tag is no image' ci/verify "$registry/postern:v0.0.1" --key "$pub"

say 'tampering'
mkdir -p "$work/layer/usr/local/bin"
printf '#!/bin/sh\n' >"$work/layer/usr/local/bin/postern"
tar -C "$work/layer" -cf "$work/layer.tar" usr
"$crane" append --base "$image" --new_layer "$work/layer.tar" --new_tag "$registry/postern:v0.0.1" >/dev/null 2>&1
tampered=$registry/postern@$("$crane" digest "$registry/postern:v0.0.1")
expect 1 'a tampered image under the same tag is not ours' ci/verify "$tampered" --key "$pub"
expect 1 'and its binary is not the one that was built' strict ci/sbom "$tampered" --out "$work/tampered"
"$crane" copy "$registry/postern:$(echo "${image#*@}" | tr : -)" "$registry/postern:$(echo "${tampered#*@}" | tr : -)" >/dev/null 2>&1
expect 1 'with the signature of the good one hung on it neither' ci/verify "$tampered" --key "$pub"
"$crane" tag "$image" v0.0.1 >/dev/null 2>&1

say 'promotion'
expect 1 'a tampered image is not promoted' ci/promote "$tampered" "$registry/prod/postern:v0.0.1" --key "$pub"
expect 1 'and nothing is there' "$crane" digest "$registry/prod/postern:v0.0.1"
expect 0 'the good one is' ci/promote "$image" "$registry/prod/postern:v0.0.1" --key "$pub"
expect 0 'under the same digest' test "$("$crane" digest "$registry/prod/postern:v0.0.1")" = "${image#*@}"
expect 0 'with its signature and attestations' ci/verify "$registry/prod/postern@${image#*@}" --key "$pub"

say 'advisories'
# database <name> <package> <severity vector>: one advisory about every version of a package.
database() {
  mkdir -p "$work/$1/osv-scalibr/npm"
  printf '{"id":"GHSA-xxxx-proof-0001","modified":"2026-01-01T00:00:00Z","summary":"planted","severity":[{"type":"CVSS_V3","score":"%s"}],"affected":[{"package":{"ecosystem":"npm","name":"%s"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}' \
    "$3" "$2" >"$work/GHSA-xxxx-proof-0001.json"
  (cd "$work" && python3 -m zipfile -c "$1/osv-scalibr/npm/all.zip" GHSA-xxxx-proof-0001.json)
}
high=CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N
database planted zod $high
database other no-such-package-here $high
database small zod CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N
mkdir -p "$work/empty/osv-scalibr/npm"
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").close()' "$work/empty/osv-scalibr/npm/all.zip"
cp -r "$work/other" "$work/old"
touch -d '8 days ago' "$work/old/osv-scalibr/npm/all.zip"
expect 1 'one planted high finding fails' strict ci/dependencies-scan --database "$work/planted"
expect 0 'without it the same scan passes' strict ci/dependencies-scan --database "$work/other"
expect 0 'a low one is told and passes' strict ci/dependencies-scan --database "$work/small"
expect 2 'an empty database judges nothing' strict ci/dependencies-scan --database "$work/empty"
expect 2 'a missing one neither' strict ci/dependencies-scan --database "$work/missing"
expect 2 'an old one neither' strict ci/dependencies-scan --database "$work/old"
expect 0 'on a laptop a missing one is skipped loudly' lax ci/dependencies-scan --database "$work/missing"
expect 2 'a stored SBOM is found; without a network nothing is known of it' strict ci/rescan "$registry/postern" --key "$pub"
if ! grep -q '"tool":"sbom-v0.0.1","verdict":"passed"' "$work/line"; then failed=1; echo 'FAILED  the stored SBOM was not found' >&2; fi

say 'the gate, with what cosign has signed'
evidence=$work/evidence
mkdir -p "$evidence/attestations"
cp test/ci/apply-gate/good/* "$evidence"
"$cosign" signing-config create --out "$work/signing.json" && "$cosign" trusted-root create --out "$work/root.json"
# attest <name> <type>: what a fixture says, about the plan.
attest() {
  node -e 'const { predicate } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"))
    if (predicate.images) predicate.images = [process.argv[2]]
    console.log(JSON.stringify(predicate))' "$evidence/$1.statement.json" "${image#*@}" >"$work/predicate.json"
  "$cosign" attest-blob --yes --key "$key" --signing-config "$work/signing.json" --trusted-root "$work/root.json" \
    --predicate "$work/predicate.json" --type "$2" --bundle "$evidence/attestations/$1.json" "$evidence/plan.bin" 2>"$work/told"
}
attest plan https://postern.example/attestation/plan/v1
attest policy https://postern.example/attestation/policy/v1
gate() {
  ci/apply-gate --environment prod --plan "$evidence/plan.bin" --evidence "$evidence" --owners "$evidence/CODEOWNERS" \
    --plan-signer "$1" --image-signer "$pub" --now 2026-11-28T11:00:00Z
}
expect 1 'an image of which nothing is attested stops the plan' gate "$pub"
"$cosign" download attestation "$image" >"$work/downloaded" 2>"$work/told"
split -l 1 --additional-suffix=.json "$work/downloaded" "$evidence/attestations/image-"
expect 0 'with what the registry keeps of it, it is admitted' gate "$pub"
expect 1 'not by another key' gate "$work/other/cosign.pub"

say 'a plan of ours that runs it'
. ci/terraform-common.sh
if find_terraform; then
  configure_provider
  copy_tree
  cp "$tree"/tests/overrides/offline_override.tf "$tree"/tests/overrides/local_override.tf "$tree/envs/prod"
  (cd "$tree" && git init -q && git add -A && git -c user.name=proof -c user.email=proof@localhost commit -qm proof)
  # plan <digest>: as the pull request of a deploy names it.
  plan() {
    printf 'image_digest = "%s"\n' "$1" >"$tree/envs/prod/image.auto.tfvars"
    POSTERN_PLAN_KEY=$(openssl rand -base64 32) ci/plan prod --root "$tree/envs/prod" --repository o/n \
      --pull-request 1 --image "$registry/postern" --image-signer "$pub" --key "$key" --out "$work/plan"
  }
  expect 0 'is allowed, signed and sealed' plan "${image#*@}"
  expect 1 'with the tampered image it is denied' plan "${tampered#*@}"
else
  say '*** NOT RUN for want of terraform: a plan of ours'
fi

printf '\n'
cat "$work/table"
printf '\n%s of %s as wanted\n' "$(grep -c '^ok' "$work/table")" "$(wc -l <"$work/table")"
exit "$failed"
