#!/bin/sh
# The contract of the secret stores against servers that nobody here wrote: `ci/test-stores.sh`.
# For AWS it installs moto into a temporary folder and starts it there (needs python3 with venv), or
# asks the server that POSTERN_TEST_AWS_ADDR names. Vault, GCP and Azure are asked where
# POSTERN_TEST_{VAULT,GCP,AZURE}_ADDR name a server; their test files say what else they take.
# The table at the end tells what ran against what. Exits 1 when a suite failed, 69 when AWS could
# not be asked.
set -eu
cd "$(dirname "$0")/.."
moto='moto[server]==5.2.5'
work=$(mktemp -d)
server=
status=0

finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null && wait "$server" || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

say() { printf '── %s\n' "$*"; }
row() { printf '%-8s %-46s %s\n' "$1" "$2" "$3" >>"$work/table"; }

start_moto() {
  say "installing $moto"
  python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet "$moto" || return 1
  python=$work/venv/bin/python3
  port=$("$python" -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
  "$python" -m moto.server --host 127.0.0.1 --port "$port" >"$work/moto.log" 2>&1 &
  server=$!
  for _ in $(seq 60); do
    if grep -q 'Running on' "$work/moto.log"; then
      POSTERN_TEST_AWS_ADDR=http://127.0.0.1:$port
      export POSTERN_TEST_AWS_ADDR
      return 0
    fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 20 "$work/moto.log" >&2
  return 1
}

# suite <store> <what is asked>: one test file, and its row.
suite() {
  say "$1: $2"
  if node ci/with-bun.mjs test --timeout=20000 "./test/secret/$1-server.test.ts" \
    >"$work/$1.log" 2>&1; then verdict=ok; else verdict=FAILED status=1; fi
  cat "$work/$1.log"
  passed=$(sed -n 's/^ *\([0-9]*\) pass$/\1/p' "$work/$1.log" | tail -n 1)
  failed=$(sed -n 's/^ *\([0-9]*\) fail$/\1/p' "$work/$1.log" | tail -n 1)
  row "$1" "$2" "$verdict: ${passed:-0} passed, ${failed:-0} failed"
}

# named <store> <address>: the suite, where an address is named.
named() {
  if [ -n "$2" ]; then
    suite "$1" "$2"
  else
    row "$1" '-' "NOT RUN: POSTERN_TEST_$(echo "$1" | tr a-z A-Z)_ADDR names no server"
  fi
}

node ci/setup.mjs
if [ -n "${POSTERN_TEST_AWS_ADDR:-}" ]; then
  suite aws "$POSTERN_TEST_AWS_ADDR"
elif start_moto; then
  suite aws "$moto at $POSTERN_TEST_AWS_ADDR"
else
  row aws '-' "NOT RUN: $moto could not be installed and started"
  status=69
fi
named vault "${POSTERN_TEST_VAULT_ADDR:-}"
named gcp "${POSTERN_TEST_GCP_ADDR:-}"
named azure "${POSTERN_TEST_AZURE_ADDR:-}"

printf '\n%-8s %-46s %s\n' store against result
cat "$work/table"
missing=$(grep -c 'NOT RUN' "$work/table" || true)
if [ "$missing" -gt 0 ]; then printf '\n*** %s of 4 stores were NOT asked.\n' "$missing"; fi
exit "$status"
