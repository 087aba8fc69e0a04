#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a script of this folder in an environment of its own; exits with 77 (skipped) where PyPI cannot be reached.
# Usage: tests/interop/interop.sh SOURCE_DIRECTORY SCRIPT [ARGUMENT …]
set -euo pipefail
environment="$1/build/interop"
"$1/tools/make_interop_environment.sh" "$environment" || {
  echo "skipped: the Python packages could not be installed"
  exit 77
}
exec "$environment/bin/python" "$1/tests/interop/$2" "${@:3}"
