#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Conformance with the golden vectors that lie beside a checkout, where they do; exit code 77 says skipped.
#
# Usage: tests/shared_conformance.sh OTA_TINYML SHARED_DIR
set -euo pipefail
ota=$1
shared=$2
if [ ! -d "$shared/models" ] || [ ! -d "$shared/golden" ]; then
  echo "skipped: no models and golden vectors in $shared"
  exit 77
fi
exec "$ota" conformance "$shared/models" "$shared/golden"
