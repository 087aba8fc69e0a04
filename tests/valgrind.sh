#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The commands that touch models, under valgrind: no leak, no read of what was never written.
#
# Usage: tests/valgrind.sh OTA_TINYML SOURCE_DIR
set -euo pipefail
ota=$1
source=$2
check() {
  valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect "$ota" "$@" >/dev/null
}
check inspect "$source/models/digits/digits.tflite"
check run "$source/models/digits/digits.tflite" --input "$source/models/digits/inputs/7.bin"
check run "$source/models/digits/digits.tflite" --input random:7 --source stream:256
check conformance "$source/models" "$source/models"
