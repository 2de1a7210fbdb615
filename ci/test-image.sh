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

node ci/setup.mjs
choose_client
start_daemon --iptables=false
build_tested "$name"

say 'checking'
IMAGE_UNDER_TEST=$name DOCKER_CLIENT=$docker node ci/with-bun.mjs test test/image
