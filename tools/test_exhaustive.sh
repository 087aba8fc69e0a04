#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is too long for `make test`: Wav2letter in patches; at least CUTS (10^6) power cuts on the model store, each world
# its share. They are done in JOBS parts (one for each core), all at once; JOB, from 1 on, does that one alone.
set -euo pipefail
cd "$(dirname "$0")/.."
cuts=${CUTS:-1000000}
jobs=${JOBS:-$(nproc)}
cmake --preset release >/dev/null
cmake --build --preset release --target power_cut_exhaustive ota-tinyml
[ "${JOB:-1}" != 1 ] || tools/check_wav2letter.sh build/ota-tinyml
processes=()
for job in ${JOB:-$(seq "$jobs")}; do
  build/release/storage/model_store/power_cut_exhaustive "$cuts" "$job" "$jobs" &
  processes+=($!)
done
failed=0
for process in "${processes[@]}"; do wait "$process" || failed=1; done
exit "$failed"
