#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every parser of outside bytes for FUZZ_SECONDS (default 600) each. What a run finds grows the corpus in
# the build tree; a crash is written beside it, and its file name is the argument that replays it. FUZZ_PRESET=fuzz-plain
# fuzzes without sanitizers, some times as fast: what it finds are crashes, hangs and broken promises.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-600}
preset=${FUZZ_PRESET:-fuzz}
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
mapfile -t fuzzers < <(find "build/$preset" -name '*_fuzz' -type f -executable | sort)
for fuzzer in "${fuzzers[@]}"; do
  name=$(basename "$fuzzer")
  mapfile -t corpora < <(find . -path ./build -prune -o -type d -name "${name%_fuzz}_corpus" -print)
  printf '\n== %s: %s seconds ==\n' "$name" "$seconds"
  mkdir -p "${fuzzer}_found"
  "$fuzzer" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="${fuzzer}_found/" "${fuzzer}_found" "${corpora[@]}"
done
