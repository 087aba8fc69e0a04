#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a Python environment with an independent CBOR, COSE and cryptography stack and an independent FAT, for tests only.
# Usage: tools/make_interop_environment.sh DIRECTORY
set -euo pipefail
directory="$1"
# setuptools: from version 81 on it may lack what pyfatfs imports.
packages=('cbor2==5.9.0' 'pycose==1.1.0' 'cryptography==50.0.2' 'pyfatfs==1.1.0' 'setuptools<81')
mkdir -p "$directory"
exec 9>"$directory/lock"  # several tests may want it at once
flock 9
[ "$(cat "$directory/complete" 2>/dev/null)" = "${packages[*]}" ] && exit 0
python3 -m venv "$directory"
"$directory/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
echo "${packages[*]}" >"$directory/complete"
