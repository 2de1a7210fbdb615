#!/bin/sh
# Starts deploy/compose.yaml as it stands and runs the checks of test/compose/ on it, then rehearses the
# procedures of deploy/RUNBOOK.md on a second one: as root, with docker and docker-compose or the
# compose plugin. Starts a daemon of its own where none runs. Only
# the images' names are set here; where no registry answers they name stand-ins made of what Debian
# has installed. Takes everything down again.
#
# POSTGRES_IMAGE and REDIS_IMAGE name others than those below. OPA names another opa than that of ci/tools.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
. ci/image-common.sh
project=postern-test
network=$project-elsewhere
POSTERN_IMAGE=postern:test
POSTGRES_IMAGE=${POSTGRES_IMAGE:-postgres:17-bookworm}
REDIS_IMAGE=${REDIS_IMAGE:-redis:7-bookworm}
POSTERN_STATE=$work/state
export POSTERN_IMAGE POSTGRES_IMAGE REDIS_IMAGE POSTERN_STATE

compose() { $composer --project-name "$project" --file deploy/compose.yaml "$@"; }

choose_composer() {
  if command -v docker-compose >/dev/null; then composer=docker-compose
  elif "$docker" compose version >/dev/null 2>&1; then composer="$docker compose"
  else
    echo 'no docker-compose, and docker has no compose plugin' >&2
    exit 1
  fi
  say "with $($composer version | head -n 1)"
}

finish() {
  if [ -n "${composer:-}" ]; then
    say 'taking it down'
    compose down --volumes --timeout 40 >/dev/null 2>&1 || true
    "$docker" network rm "$network" >/dev/null 2>&1 || true
  fi
  if [ -n "$daemon" ]; then
    stop_daemon
    # A daemon leaves its chains behind.
    iptables-save | grep -v DOCKER | iptables-restore || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# pack <root> <program or folder …>: with the libraries that they load.
pack() {
  root=$1
  shift
  for path; do
    mkdir -p "$root$(dirname "$path")"
    cp -aL "$path" "$root$(dirname "$path")"
    find "$path" -type f \( -perm /111 -o -name '*.so' \) -exec ldd {} + 2>/dev/null || true
  done | sed -n 's/^\t\(.* => \)\{0,1\}\(\/[^ ]*\) (.*/\2/p' | sort -u |
    while read -r library; do
      mkdir -p "$root$(dirname "$library")"
      cp -L "$library" "$root$library"
    done
}

# What the official images do with the settings that compose.yaml gives them, and no more.
import_servers() {
  say "no registry answers: stand-ins for $POSTGRES_IMAGE and $REDIS_IMAGE from Debian's servers"
  programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  version=$(basename "$(dirname "$programs")")
  for name in postgres redis; do
    mkdir -p "$work/$name/etc" "$work/$name/tmp" "$work/$name/proc" "$work/$name/var/run/postgresql"
    pack "$work/$name" /bin/sh /bin/cat /bin/rm
    printf 'root:x:0:0::/:/bin/sh\n%s:x:999:999::/:/bin/sh\n' "$name" >"$work/$name/etc/passwd"
    printf 'root:x:0:\n%s:x:999:\n' "$name" >"$work/$name/etc/group"
  done
  pack "$work/redis" /usr/bin/redis-server /usr/bin/redis-cli
  pack "$work/postgres" "$programs" "/usr/lib/postgresql/$version/lib" \
    "/usr/share/postgresql/$version" /usr/share/zoneinfo
  cat >"$work/postgres/entrypoint" <<'END'
#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C >/dev/null
  PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") PGUSER=$POSTGRES_USER
  export PGPASSWORD PGUSER
  settings=$*
  pg_ctl -s -w -o "${settings#postgres } -clisten_addresses=" start
  psql -qXc "create database $POSTGRES_DB" postgres
  for file in /docker-entrypoint-initdb.d/*.sql; do
    psql -qXv ON_ERROR_STOP=1 --no-password -f "$file" "$POSTGRES_DB"
  done
  pg_ctl -s -w -m fast stop
  unset PGPASSWORD PGUSER
fi
exec "$@"
END
  chmod 0755 "$work/postgres/entrypoint"
  tar -C "$work/postgres" -c . | "$docker" import --change 'ENTRYPOINT ["/entrypoint"]' \
    --change "ENV PATH=$programs:/usr/bin:/bin" - "$POSTGRES_IMAGE" >/dev/null
  tar -C "$work/redis" -c . | "$docker" import --change 'ENV PATH=/usr/bin:/bin' - "$REDIS_IMAGE" \
    >/dev/null
}

node ci/setup.mjs
choose_client
choose_composer
start_daemon
if ! pull "$POSTGRES_IMAGE" || ! pull "$REDIS_IMAGE"; then import_servers; fi
build_tested "$POSTERN_IMAGE"

say 'preparing'
DOCKER=$docker deploy/compose/prepare
"$docker" network create "$network" >/dev/null

say 'checking'
opa=${OPA:-$(node ci/tools.mjs opa || true)}
if [ -z "$opa" ]; then say 'NOT RUN for want of opa: what the policy says of compose.yaml'; fi
export OPA="$opa" COMPOSE_UNDER_TEST="$composer --project-name $project --file deploy/compose.yaml" \
  ELSEWHERE="$network" DOCKER_CLIENT="$docker"
node ci/with-bun.mjs test test/compose/compose.test.ts
compose down --volumes --timeout 40 >/dev/null 2>&1

say 'rehearsing'
# An operator's `docker compose`, whichever of the two is here.
mkdir "$work/bin"
cat >"$work/bin/docker" <<END
#!/bin/sh
case \$1 in compose) shift; exec $composer --project-name $project "\$@" ;; *) exec $docker "\$@" ;; esac
END
chmod 0755 "$work/bin/docker"
POSTERN_STATE=$work/rehearsal PATH=$work/bin:$PATH node ci/with-bun.mjs test test/compose/runbook.test.ts
