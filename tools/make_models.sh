#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains models/ again, or makes the models of tests/models again, in a Python environment of its own under build/.
#
# Usage: tools/make_models.sh train | test-models
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  train) script=models/train.py ;;
  test-models) script=tools/make_test_models.py ;;
  *) echo "make_models: say train or test-models" >&2; exit 2 ;;
esac

environment=build/models-venv
stamp=$environment/requirements.txt
if ! cmp -s models/requirements.txt "$stamp"; then
  echo "Installing TensorFlow and what else models/requirements.txt names into $environment (about 1.5 GB)"
  python3 -m venv --clear "$environment"
  "$environment/bin/pip" install --no-deps --quiet --disable-pip-version-check -r models/requirements.txt
  cp models/requirements.txt "$stamp"
fi
log=build/make_models.log
nice "$environment/bin/python" "$script" 2>"$log" || { cat "$log" >&2; exit 1; }
