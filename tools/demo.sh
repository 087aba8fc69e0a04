#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job, end to end, on this machine alone: a server publishes the project's models over HTTPS; a
# virtual board fetches two, keeps them in its flash, runs each on real input; loses power in the middle of a
# transfer and resumes; boots again without any network and runs both from the same flash.
#
# Usage: tools/demo.sh [OTA_TINYML [STATE_DIR]]   (defaults build/ota-tinyml, demo-state; the state is replaced)
set -euo pipefail
cd "$(dirname "$0")/.."

ota=${1:-build/ota-tinyml}
state=${2:-demo-state}
server_pid=

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
stop_server() {
  [ -n "$server_pid" ] || return 0
  kill -TERM "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=
}
trap stop_server EXIT

case "$state" in ''|/|.|..) echo "demo: '$state' is no place for the demo's state" >&2; exit 2 ;; esac
rm -rf "$state/server" "$state/B1"
mkdir -p "$state/server/models"

say "1. A server publishes our models over HTTPS"
cp models/sine/sine.tflite models/digits/digits.tflite "$state/server/models/"
"$ota" serve --data "$state/server" --listen 127.0.0.1:0 --port-file "$state/port" \
  --access-log "$state/access.log" >"$state/server.log" 2>&1 &
server_pid=$!
for _ in $(seq 200); do
  [ -s "$state/port" ] && break
  kill -0 "$server_pid" 2>/dev/null || { cat "$state/server.log" >&2; exit 1; }
  read -rt 0.05 <> <(:) || true
done
[ -s "$state/port" ] || { echo "demo: the server did not start within 10 s; see $state/server.log" >&2; exit 1; }
url="https://127.0.0.1:$(cat "$state/port")"
ca="$state/server/tls/ca.pem"
cat "$state/server.log"
curl --silent --show-error --fail --cacert "$ca" "$url/models/"

device() { "$ota" device --board B1 --state "$state/B1" "$@"; }

run_both() {
  for digit in 3 7; do
    echo "-- digits, a handwritten $digit that it was not trained on:"
    device --run digits --input "models/digits/inputs/$digit.bin" --labels models/digits/labels.txt
  done
  echo "-- sine, $(sed -n 's|^inputs/1.bin\t\([^\t]*\).*|expected \1|p' models/sine/inputs.tsv):"
  device --run sine --input models/sine/inputs/1.bin
}

say "2. Board B1 (Teensy 4.0) fetches both over HTTPS into its on-chip flash; its power fails on the way"
if device --server "$url" --ca "$ca" --fetch sine --fetch digits --cut-power-after 6000; then
  echo "demo: the power should have failed" >&2
  exit 1
fi

say "3. Power is back: it finds what survived, and fetches the rest"
device --server "$url" --ca "$ca" --fetch sine --fetch digits
device --list

say "4. It runs each from where it lies, on real input"
run_both

say "5. The server is gone. The board boots again from the same flash and runs both"
stop_server
run_both

say "Done. The flash is in $state/B1, what the server saw in $state/access.log."
