#!/bin/sh
# Builds the image as ci/test-image.sh does and says how to reach it: `ready DOCKER DOCKER_HOST IMAGE`.
# When its input ends it removes the container of the name that it was given, and the daemon where it had
# to start one. Exit 2: no docker here.
set -eu
cd "$(dirname "$0")/../../.."
name=postern:load
container=${1:?name of a container}
work=$(mktemp -d)
. ci/image-common.sh

finish() {
  if [ -n "${docker:-}" ]; then "$docker" rm --force "$container" >/dev/null 2>&1 || true; fi
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
