#!/bin/sh
# Builds the image and runs the checks of test/image/ on it: `ci/test-image.sh [name of an image]`.
# Needs docker with BuildKit; as root it starts a daemon of its own when none runs. Without a
# registry in reach it puts the image on a stand-in of its base, made of Debian's packages.
set -eu
cd "$(dirname "$0")/.."
name=${1:-postern:test}
work=$(mktemp -d)
. ci/image-common.sh

finish() {
  stop_daemon
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

import_terraform() {
  mkdir -p "$work/terraform/bin"
  cp -L "$(command -v terraform)" "$work/terraform/bin/terraform" 2>/dev/null || return 1
  say "no registry answers: a stand-in for $1 from the terraform on PATH"
  tar -C "$work/terraform" -c . | "$docker" import - "$1" >/dev/null
}

node ci/setup.mjs
choose_client
start_daemon --iptables=false
build_tested "$name"

# The same with a Terraform, whose image is one file.
drift=
terraform=$(sed -n 's/^ARG TERRAFORM=//p' Dockerfile.distroless)
if pull "$terraform" || import_terraform "$terraform"; then
  drift=$name-drift
  build_image "$drift" "$(sed -n 's/^ARG BASE=//p' Dockerfile.distroless)" --target drift
else
  say 'NOT RUN for want of a terraform: the target drift'
fi

say 'checking'
IMAGE_UNDER_TEST=$name DRIFT_IMAGE_UNDER_TEST=$drift DOCKER_CLIENT=$docker node ci/with-bun.mjs test test/image
