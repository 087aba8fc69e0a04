#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints how many bytes of a linked image come from the libraries given, and fails if they are more than the budget.
# "ltrans" stands for what was optimised at link, which has lost its library's name.
#
# Usage: check_text.sh MAP BUDGET_BYTES LIBRARY … (ltrans, libota_engine.a)
set -euo pipefail
map=${1:?usage: check_text.sh MAP BUDGET_BYTES LIBRARY …}
budget=${2:?usage: check_text.sh MAP BUDGET_BYTES LIBRARY …}
shift 2
total=0
for library in "$@"; do
  # A section is one line, or two if its name is long; those that were dropped stand before the memory map.
  [ "$library" = ltrans ] && name=".ltrans.o" || name="$library("
  bytes=$(awk -v name="$name" '
    /^Linker script and memory map/ { kept = 1 }
    !kept { next }
    /^ \.(text|rodata|data|init_array)[^ ]*$/ { getline rest; $0 = $0 rest }
    /^ \.(text|rodata|data|init_array)/ && index($0, name) { print $3 }' "$map" |
    while read -r size; do echo $((size)); done | awk '{ sum += $1 } END { print sum + 0 }')
  echo "$library $bytes"
  total=$((total + bytes))
done
[ "$total" -gt 0 ] || { echo "check_text: $map has nothing of $*" >&2; exit 2; }
echo "total $total of $budget"
[ "$total" -le "$budget" ]
