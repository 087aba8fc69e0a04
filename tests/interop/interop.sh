#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs interop.py in an environment of its own; exits with 77 (skipped) where PyPI cannot be reached.
# Usage: tests/interop/interop.sh OTA_TINYML SOURCE_DIRECTORY PAYLOAD_PEER
set -euo pipefail
environment="$2/build/interop"
"$2/tools/make_interop_environment.sh" "$environment" || {
  echo "skipped: the Python packages could not be installed"
  exit 77
}
exec "$environment/bin/python" "$2/tests/interop/interop.py" "$1" "$2/models/digits/digits.tflite" "$3"
