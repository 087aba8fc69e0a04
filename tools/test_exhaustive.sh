#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is too long for `make test`: Wav2letter in patches; at least CUTS (10^6) power cuts on the model store, one
# process for each core.
set -euo pipefail
cd "$(dirname "$0")/.."
cuts=${CUTS:-1000000}
jobs=$(nproc)
cmake --preset release >/dev/null
cmake --build --preset release --target power_cut_exhaustive ota-tinyml
tools/check_wav2letter.sh build/ota-tinyml
processes=()
for ((job = 0; job < jobs; ++job)); do
  build/release/storage/model_store/power_cut_exhaustive "$cuts" "$job" "$jobs" &
  processes+=($!)
done
failed=0
for process in "${processes[@]}"; do wait "$process" || failed=1; done
exit "$failed"
