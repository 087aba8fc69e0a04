#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job, end to end, on this machine alone: a publisher signs the project's models and gives them to a
# server; seven virtual boards verify and fetch them at once, each onto its own kind of memory unit, and run each on real input; one
# loses power in the middle and recovers; then all boot again without any network and run from their own
# media. With the article's models beside the repository a card takes them too.
#
# Usage: tools/demo.sh [OTA_TINYML [STATE_DIR]]   (defaults build/ota-tinyml, demo-state; the state is replaced)
# DEMO_ARTICLE: where the article's models lie, ../shared/models/article if not set; empty: leave them out.
set -euo pipefail
cd "$(dirname "$0")/.."

ota=${1:-build/ota-tinyml}
state=${2:-demo-state}
article=${DEMO_ARTICLE-../shared/models/article}
boards=(B1 B2 B3 B4 B5 B6 B7)
models=()
for file in models/*/*.tflite; do models+=("$(basename "$file" .tflite)"); done
keys=$state/keys
trust=(--trust "$keys/root-1.cbor")
server_pid=

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { echo "demo: $*" >&2; exit 1; }
stop_server() {
  [ -n "$server_pid" ] || return 0
  kill -TERM "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=
}
trap stop_server EXIT

start_server() {
  "$ota" serve --data "$state/server" --listen 127.0.0.1:0 --port-file "$state/port" \
    --access-log "$state/access.log" >"$state/server.log" 2>&1 &
  server_pid=$!
  for _ in $(seq 200); do
    [ -s "$state/port" ] && break
    kill -0 "$server_pid" 2>/dev/null || { cat "$state/server.log" >&2; exit 1; }
    read -rt 0.05 <> <(:) || true
  done
  [ -s "$state/port" ] || fail "the server did not start within 10 s; see $state/server.log"
  url="https://127.0.0.1:$(cat "$state/port")"
  ca="$state/server/tls/ca.pem"
}

device() { local board=$1; shift; "$ota" device --board "$board" --state "$state/$board" "$@"; }
fetch_models() {
  local board=$1 name names=(); shift
  for name in "${models[@]}"; do names+=(--fetch "$name"); done
  device "$board" --server "$url" --ca "$ca" "${trust[@]}" "${names[@]}" --json "$@"
}

# Root and release key, root metadata that names them, every model signed with the release key.
publish_models() {
  local key file upload=(--server "$url" --ca "$ca" --token-file "$state/server/publisher.token")
  for key in root release; do "$ota" key generate "$keys/$key" --no-passphrase >"$keys/$key.log"; done
  "$ota" trust init --root "$keys/root.pub" --threshold 1 --freshness "$state/server/freshness.pub.pem" \
    --release "$keys/release.pub" --sign "$keys/root" -o "$keys/root-1.cbor"
  "$ota" trust publish "$keys/root-1.cbor" "${upload[@]}"
  for file in models/*/*.tflite; do
    "$ota" publish "$file" --name "$(basename "$file" .tflite)" --version 1.0.0 --class every-board \
      --vendor boards.ota-tinyml.example --key "$keys/release" "${upload[@]}"
  done
}

# Starts FUNCTION for every board at once; what each says goes to $state/BOARD.json and BOARD.log.
on_all_boards() {
  local board pids=()
  for board in "${boards[@]}"; do
    "$1" "$board" >"$state/$board.json" 2>"$state/$board.log" & pids+=($!)
  done
  for index in "${!boards[@]}"; do
    board=${boards[$index]}
    wait "${pids[$index]}" && continue
    [ -e "$state/$board.cut" ] || { cat "$state/$board.log" >&2; fail "board $board failed; see above"; }
  done
}

fetch_with_one_cut() {
  [ "$1" != B5 ] || { : >"$state/B5.cut"; fetch_models "$1" --cut-power-after 6000; return; }
  fetch_models "$1"
}

print_fetched() {  # BOARD …
  printf '%-4s %-20s %-16s %8s %7s %8s %14s %9s\n' \
    "" board "memory unit" arena models bytes "on the medium" energy
  for board; do
    if [ ! -s "$state/$board.json" ]; then
      printf '%-4s %s\n' "$board" "power failed: $(grep -o 'power was cut after .* bytes' "$state/$board.log")"
      continue
    fi
    awk -v board="$board" '
      function value(line) { sub(/^[^:]*: "?/, "", line); sub(/"?,?$/, "", line); return line }
      /^  "arena_bytes"/ { arena = value($0) / 1024 }
      /^  "name"/        { name = value($0) }
      /^  "unit"/        { unit = value($0) }
      /"size_bytes"/     { models += 1; bytes += value($0) }
      /"seconds"/        { seconds += value($0) }
      /"energy_mj"/      { energy += value($0) }
      END { printf "%-4s %-20s %-16s %4d KiB %7d %8d %12.2f s %6.1f mJ\n",
                   board, name, unit, arena, models, bytes, seconds, energy }' "$state/$board.json"
  done
}

run_models() {
  local digits=models/digits
  device "$1" --json \
    --run digits --input $digits/inputs/3.bin --labels $digits/labels.txt \
    --run digits --input $digits/inputs/7.bin --labels $digits/labels.txt \
    --run sine --input models/sine/inputs/1.bin --labels ''
}

print_runs() {
  printf '%-4s %-24s %-24s %-22s %s\n' "" "a handwritten 3" "a handwritten 7" \
    "sine (expected $(awk -F'\t' '$1 == "inputs/1.bin" { print $2 }' models/sine/inputs.tsv))" "models run"
  for board in "${boards[@]}"; do
    awk -v board="$board" '
      function value(line) { sub(/^[^:]*: "?/, "", line); sub(/"?,?$/, "", line); return line }
      /"is_mapped": true/  { how = "in place" }
      /"is_mapped": false/ { how = "streamed from the medium" }
      /"seconds"/          { seconds += value($0) }
      /"read_bytes"/       { bytes += value($0) }
      /"text"/             { text[++count] = value($0) }
      END { printf "%-4s %-24s %-24s %-22s %s", board, text[1], text[2], text[3], how
            if (how != "in place") printf ": %.0f KiB in %.3f s", bytes / 1024, seconds
            print "" }' "$state/$board.json"
  done
}

case "$state" in ''|/|.|..) echo "demo: '$state' is no place for the demo's state" >&2; exit 2 ;; esac
for part in server keys article "${boards[@]}"; do rm -rf "${state:?}/$part"; done
mkdir -p "$keys"
rm -f "$state"/*.json "$state"/*.log "$state"/*.cut "$state/port"

say "1. A server starts; a publisher makes keys, signs our models, and uploads them"
start_server
cat "$state/server.log"
publish_models
curl --silent --show-error --fail --cacert "$ca" "$url/models/" | grep -E '"(name|size|sha256)"'

say "2. Seven boards verify and fetch them at once, each onto its own memory unit; the power of B5 fails on the way"
on_all_boards fetch_with_one_cut
[ ! -s "$state/B5.json" ] || fail "the power of B5 should have failed"
print_fetched "${boards[@]}"

say "3. Power is back: B5 finds what survived, and fetches the rest"
rm "$state/B5.cut"
fetch_models B5 >"$state/B5.json"
print_fetched B5
device B5 --list

say "4. The server is gone. All seven boot again from their own media and run their models on real input"
stop_server
on_all_boards run_models
print_runs

if [ -n "$article" ] && [ -d "$article" ]; then
  say "5. The article's models, signed by nobody: a card holds them all; what a board cannot hold or run is refused"
  trust=(--insecure)
  rm -f "$state/port"
  cp "$article"/*.tflite "$state/server/models/"
  chmod u+w "$state/server/models/"*
  start_server
  models=()
  for file in "$article"/*.tflite; do models+=("$(basename "$file" .tflite)"); done
  fetch_models B7 >"$state/B7.json"
  print_fetched B7
  device B7 --run magic_wand --run micro_speech_quantized
  ! device B4 --server "$url" --ca "$ca" --insecure --fetch mobilenet_v2_1.0_224_INT8 || fail "it should not fit 512 KB"
  ! device B7 --run mobilenet_v2_1.0_224_INT8 || fail "it should need more arena than B7 has"
  stop_server
fi

say "Done. The media are in $state/B1 to B7, what the server saw in $state/access.log."
