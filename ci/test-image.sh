#!/bin/sh
# Builds the image and runs the checks of test/image/ on it: `ci/test-image.sh [name of an image]`.
# Needs docker with BuildKit; as root it starts a daemon of its own when none runs. Without a
# registry in reach it puts the image on a stand-in of its base, made of Debian's packages.
set -eu
cd "$(dirname "$0")/.."
name=${1:-postern:test}
base=$(sed -n 's/^ARG BASE=//p' Dockerfile.distroless)
work=$(mktemp -d)
daemon=

finish() {
  if [ -n "$daemon" ]; then
    kill "$daemon" && wait "$daemon" || true
    # Host networking leaves a mount behind.
    umount "$work"/exec/netns/* 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

say() { printf '── %s\n' "$*"; }

# A new client without its buildx plugin cannot build; Debian's own still has BuildKit built in.
choose_client() {
  for docker in $(which -a docker); do
    if "$docker" buildx version >/dev/null 2>&1; then return; fi
    case $("$docker" --version) in *' version '1[89].*|*' version '2[0-2].*) return ;; esac
  done
  echo 'no docker client with BuildKit: install docker-buildx' >&2
  exit 1
}

start_daemon() {
  if "$docker" info >/dev/null 2>&1; then return; fi
  say 'starting a private docker daemon'
  export DOCKER_HOST="unix://$work/docker.sock"
  dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" \
    --pidfile "$work/docker.pid" --bridge none --iptables=false >"$work/dockerd.log" 2>&1 &
  daemon=$!
  for _ in $(seq 60); do
    if "$docker" info >/dev/null 2>&1; then return; fi
    sleep 0.5
  done
  tail -n 20 "$work/dockerd.log" >&2
  exit 1
}

# The same parts as the real one: libc, certificates, time zones, passwd; no program at all.
import_stand_in() {
  say "no registry answers: a stand-in for $base from Debian's packages"
  mkdir "$work/packages" "$work/root"
  (cd "$work/packages" && apt-get download -o APT::Sandbox::User=root libc6 base-files tzdata ca-certificates \
    >/dev/null)
  for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  rm -rf "$work/root/bin" "$work/root/sbin" "$work/root/usr/bin" "$work/root/usr/sbin"
  find "$work/root/usr/share/ca-certificates" -name '*.crt' -exec cat {} + \
    >"$work/root/etc/ssl/certs/ca-certificates.crt"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' \
    >"$work/root/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$work/root/etc/group"
  tar -C "$work/root" -c . | "$docker" import --change 'USER 65532' - "$base" >/dev/null
}

node ci/setup.mjs
choose_client
start_daemon
if ! timeout 60 "$docker" pull --quiet "$base" >/dev/null 2>&1; then import_stand_in; fi

say 'building'
npm run --silent build
commit=$(git rev-parse HEAD)
version=$(node -p 'require("./package.json").version')
DOCKER_BUILDKIT=1 "$docker" build --quiet --file Dockerfile.distroless --tag "$name" \
  --build-arg BINARY=prebuilt --build-arg COMMIT="$commit" --build-arg VERSION="$version" .

say 'checking'
IMAGE_UNDER_TEST=$name DOCKER_CLIENT=$docker node ci/with-bun.mjs test test/image
