# Read by ci/image-build, ci/test-image.sh, ci/test-compose.sh and ci/test-supply-chain.sh, from the
# repository's root, with $work as a temporary folder: a docker that has BuildKit, and a base where no
# registry answers.

daemon=

say() { printf '── %s\n' "$*" >&2; }

stop_daemon() {
  if [ -n "$daemon" ]; then
    kill "$daemon" && wait "$daemon" || true
    daemon=
    # Host networking leaves a mount behind.
    umount "$work"/exec/netns/* 2>/dev/null || true
  fi
}

# A new client without its buildx plugin cannot build; Debian's own still has BuildKit built in.
choose_client() {
  for docker in $(which -a docker); do
    if "$docker" buildx version >/dev/null 2>&1; then return; fi
    case $("$docker" --version) in *' version '1[89].*|*' version '2[0-2].*) return ;; esac
  done
  echo 'no docker client with BuildKit: install docker-buildx' >&2
  exit 2
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
  exit 2
}

# True where the registry has sent it.
pull() { timeout 60 "$docker" pull --quiet "$1" >/dev/null 2>&1; }

# import_stand_in <name>: the same parts as the real base: libc, certificates, time zones, passwd; no
# program at all, and each package's record, by which scanners know it.
import_stand_in() {
  say "no registry answers: a stand-in for $1 from Debian's packages"
  mkdir "$work/packages" "$work/root"
  (cd "$work/packages" && apt-get download -o APT::Sandbox::User=root libc6 base-files tzdata ca-certificates \
    >/dev/null)
  mkdir -p "$work/root/var/lib/dpkg/status.d"
  for package in "$work"/packages/*.deb; do
    dpkg-deb -x "$package" "$work/root"
    record=$work/root/var/lib/dpkg/status.d/$(dpkg-deb -f "$package" Package)
    { dpkg-deb -f "$package"; echo 'Status: install ok installed'; } >"$record"
  done
  rm -rf "$work/root/bin" "$work/root/sbin" "$work/root/usr/bin" "$work/root/usr/sbin"
  find "$work/root/usr/share/ca-certificates" -name '*.crt' -exec cat {} + \
    >"$work/root/etc/ssl/certs/ca-certificates.crt"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' \
    >"$work/root/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$work/root/etc/group"
  tar -C "$work/root" -c . | "$docker" import --change 'USER 65532' - "$1" >/dev/null
}

# build_tested <name>: the tree as it is, on the base that it names or a stand-in of that.
build_tested() {
  tested_base=$(sed -n 's/^ARG BASE=//p' Dockerfile.distroless)
  if ! pull "$tested_base"; then import_stand_in "$tested_base"; fi
  say 'building'
  npm run --silent build
  build_image "$1" "$tested_base"
}

# build_image <name> <base> [options of docker build]: from dist/postern as it is.
build_image() {
  built=$1 built_on=$2
  shift 2
  DOCKER_BUILDKIT=1 "$docker" build --quiet --file Dockerfile.distroless --tag "$built" \
    --build-arg BINARY=prebuilt --build-arg BASE="$built_on" --build-arg COMMIT="$(git rev-parse HEAD)" \
    --build-arg VERSION="$(node -p 'require("./package.json").version')" "$@" . >&2
}
