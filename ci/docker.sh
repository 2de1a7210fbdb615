# For the scripts that test images: sourced, with `work` naming a temporary folder of theirs. Sets
# `docker`, and `daemon` where one had to be started.
base=$(sed -n 's/^ARG BASE=//p' Dockerfile.distroless)
daemon=

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

# start_daemon [options of dockerd]: a private one, where none runs.
start_daemon() {
  if "$docker" info >/dev/null 2>&1; then return; fi
  say 'starting a private docker daemon'
  export DOCKER_HOST="unix://$work/docker.sock"
  dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" \
    --pidfile "$work/docker.pid" --bridge none "$@" >"$work/dockerd.log" 2>&1 &
  daemon=$!
  for _ in $(seq 60); do
    if "$docker" info >/dev/null 2>&1; then return; fi
    sleep 0.5
  done
  tail -n 20 "$work/dockerd.log" >&2
  exit 1
}

stop_daemon() {
  if [ -z "$daemon" ]; then return; fi
  kill "$daemon" && wait "$daemon" || true
  # Host networking leaves a mount behind.
  umount "$work"/exec/netns/* 2>/dev/null || true
}

# True where the registry has sent it.
pull() { timeout 60 "$docker" pull --quiet "$1" >/dev/null 2>&1; }

# The same parts as the real one: libc, certificates, time zones, passwd; no program at all.
import_base() {
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

# build_image <name>: compiles, and puts the binary on its base.
build_image() {
  if ! pull "$base"; then import_base; fi
  say 'building'
  npm run --silent build
  DOCKER_BUILDKIT=1 "$docker" build --quiet --file Dockerfile.distroless --tag "$1" \
    --build-arg BINARY=prebuilt --build-arg COMMIT="$(git rev-parse HEAD)" \
    --build-arg VERSION="$(node -p 'require("./package.json").version')" .
}
