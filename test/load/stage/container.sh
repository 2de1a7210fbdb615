#!/bin/sh
# Builds the image as ci/test-image.sh does and says how to reach it: `ready DOCKER DOCKER_HOST IMAGE`.
# Keeps its daemon, where it had to start one, until its input ends. Exit 2: no docker here.
set -eu
cd "$(dirname "$0")/../../.."
name=postern:load
work=$(mktemp -d)
. ci/image-common.sh

finish() {
  stop_daemon
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

command -v docker >/dev/null || exit 2
docker info >/dev/null 2>&1 || command -v dockerd >/dev/null || exit 2
choose_client
start_daemon --iptables=false
build_tested "$name" >&2
echo "ready $docker ${DOCKER_HOST:-default} $name"
cat >/dev/null
