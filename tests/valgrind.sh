#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program under valgrind: no leak, no read of what was never written. Commands that touch models one by one,
# server and devices as the demo uses them.
#
# Usage: tests/valgrind.sh OTA_TINYML SOURCE_DIR
set -euo pipefail
ota=$(realpath "$1")
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

watch="valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect"
check() { $watch "$ota" "$@" >/dev/null; }
check inspect "$source/models/digits/digits.tflite"
check run "$source/models/digits/digits.tflite" --input "$source/models/digits/inputs/7.bin"
check run "$source/models/digits/digits.tflite" --input random:7 --source stream:256
check conformance "$source/models" "$source/models"

mkdir "$work/found"
printf '#!/bin/sh\nexec %s --log-file=%s/found/%%p "%s" "$@"\n' "$watch" "$work" "$ota" >"$work/ota-tinyml"
chmod +x "$work/ota-tinyml"
DEMO_ARTICLE= "$source/tools/demo.sh" "$work/ota-tinyml" "$work/demo" >"$work/demo.log" 2>&1 || { cat "$work/demo.log"; exit 1; }
[ "$(find "$work/found" -type f | wc -l)" -gt 3 ] || { echo "valgrind: it saw no process of the demo" >&2; exit 1; }
if find "$work/found" -type f -size +0 | grep -q .; then cat "$work/found"/*; exit 1; fi
