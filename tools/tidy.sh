#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over the product sources that the release tree compiles (tests are held to the compiler's
# warnings and to the style test). Needs `cmake --preset release`.
#
# Usage: tools/tidy.sh [FILE …]   (default: all)
set -euo pipefail
cd "$(dirname "$0")/.."

compiled() {
  python3 - <<'PY'
import json, os
for entry in json.load(open("build/release/compile_commands.json")):
    path = os.path.relpath(os.path.join(entry["directory"], entry["file"]))
    if not path.startswith(("..", "build/")):
        print(path)
PY
}

if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(compiled | grep -v '_test\.cc$' | sort -u); fi
echo "clang-tidy: ${#files[@]} files"
printf '%s\n' "${files[@]}" |
  xargs -P "$(nproc)" -n 4 clang-tidy-16 -p build/release --quiet --warnings-as-errors='*' 2>&1 |
  grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated' || test "${PIPESTATUS[1]}" -eq 0
