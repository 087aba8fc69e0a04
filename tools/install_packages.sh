#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian 12 packages that the named purposes need and that are missing; quiet when nothing is.
#
# Usage: tools/install_packages.sh build|test|models …
set -euo pipefail

packages_for() {
  case "$1" in
    build) echo g++ make cmake ninja-build ccache pkg-config libboost1.81-dev libssl-dev libmbedtls-dev libp11-kit-dev \
                libcli11-dev nlohmann-json3-dev libgtest-dev libgmock-dev curl openssl ;;
    test) echo clang-16 clang-tidy-16 clang-format-16 libclang-rt-16-dev gcc-arm-none-eabi \
               libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib python3-venv qemu-system-arm valgrind wget dpkg-dev \
               dosfstools mtools softhsm2 ;;
    models) echo python3 python3-venv ;;
    *) echo "install_packages: unknown purpose '$1'; say build, test or models" >&2; exit 2 ;;
  esac
}

wanted=()
for purpose in "$@"; do
  read -ra names <<<"$(packages_for "$purpose")"
  wanted+=("${names[@]}")
done
missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install_packages: need root or sudo to install: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
