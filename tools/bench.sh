#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every benchmark program that was built; each prints its own table.
set -euo pipefail
cd "$(dirname "$0")/.."
for program in build/release/benchmarks/*_benchmark; do
  [ -x "$program" ] || continue
  printf '\n== %s ==\n' "$(basename "$program")"
  "$program"
done
