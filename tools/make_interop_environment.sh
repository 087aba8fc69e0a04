#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a Python environment with an independent CBOR, COSE and cryptography stack, for tests only.
# Usage: tools/make_interop_environment.sh DIRECTORY
set -euo pipefail
directory="$1"
[ -e "$directory/complete" ] && exit 0
python3 -m venv "$directory"
"$directory/bin/pip" install --quiet --disable-pip-version-check 'cbor2==5.9.0' 'pycose==1.1.0' 'cryptography==50.0.2'
touch "$directory/complete"
