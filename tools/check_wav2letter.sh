#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the whole Wav2letter-shaped model, 23.6 MB, and runs it from a streamed source in 384 KB and less: the outputs
# must be those of the plain plan. The Python packages are those of models/requirements.txt.
#
# Usage: tools/check_wav2letter.sh OTA_TINYML
set -euo pipefail
ota=$(realpath "$1")
cd "$(dirname "$0")/.."
environment=build/wav2letter-venv
if [ ! -x "$environment/bin/python" ]; then
  python3 -m venv "$environment"
  grep -E '^(numpy|flatbuffers|tflite)==' models/requirements.txt >"$environment/requirements.txt"
  "$environment/bin/pip" install --no-deps --quiet --disable-pip-version-check -r "$environment/requirements.txt"
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$environment/bin/python" tools/make_wav2letter.py "$scratch/model.tflite"

run() { # OUTPUT ARGUMENT … : the outputs, and what the run cost
  local output=$1
  shift
  "$ota" run "$scratch/model.tflite" --input random:7 --json "$@" >"$scratch/run.json"
  "$environment/bin/python" - "$scratch/run.json" "$output" <<'PYTHON'
import json, sys
result = json.load(open(sys.argv[1]))
json.dump(result.pop("outputs"), open(sys.argv[2], "w"))
print(result)
PYTHON
}

run "$scratch/plain.json"
for arena in 393216 262144 131072; do
  run "$scratch/patched.json" --source stream --arena "$arena"
  cmp "$scratch/plain.json" "$scratch/patched.json"
done
echo "The outputs in patches are those of the plain plan."
