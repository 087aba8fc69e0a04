#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over our sources, with the release tree's compile commands. Needs `cmake --preset release`.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files -co --exclude-standard '*.cc' | grep -v '_fuzz\.cc$\|^firmware/' |
  xargs -P "$(nproc)" -n 4 clang-tidy-16 -p build/release --quiet --warnings-as-errors='*'
