#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every benchmark program that was built, each of which prints its own table; then models on emulated boards.
set -euo pipefail
cd "$(dirname "$0")/.."
for program in build/release/benchmarks/*_benchmark; do
  [ -x "$program" ] || continue
  printf '\n== %s ==\n' "$(basename "$program")"
  "$program"
done

printf '\n== engine_boards ==\n'
for preset in cortex-m4 cortex-m7 cortex-m0plus; do
  cmake --preset "$preset" >"build/$preset-configure.log" 2>&1 || { cat "build/$preset-configure.log"; exit 1; }
  cmake --build --preset "$preset" --target run_model run_tiny_model
done
benchmarks/engine_boards.py
