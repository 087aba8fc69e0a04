#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What `make test` runs, in order of what fails soonest. One build tree per purpose under build/.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%ds) ==\n' "$1" "$SECONDS"; }

build_and_test() {
  cmake --preset "$1" >"build/$1-configure.log" 2>&1 || { cat "build/$1-configure.log"; exit 1; }
  cmake --build --preset "$1"
  ctest --preset "$1"
}

mkdir -p build
step "format"
git ls-files -co --exclude-standard '*.h' '*.cc' | xargs clang-format-16 --dry-run -Werror
step "cross builds for Cortex-M4, M7 and M0+: no exceptions, no heap, images on emulated boards"
build_and_test cortex-m4
build_and_test cortex-m7
build_and_test cortex-m0plus
step "release"
build_and_test release
step "clang-tidy"
tools/tidy.sh
step "fuzz slices"
build_and_test fuzz
step "thread sanitizer"
build_and_test tsan
step "address and undefined behaviour sanitizers"
build_and_test asan-ubsan
step "all passed"
