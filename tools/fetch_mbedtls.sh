#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts the sources of Debian's own Mbed TLS package into a folder, for the cross builds, which cannot use the
# host's library. The machine's apt sources are read, never changed: a copy with deb-src is used for this one call,
# and apt checks the archive's signature and each file's digest as ever. Does nothing when the folder is there.
#
# Usage: tools/fetch_mbedtls.sh FOLDER
set -euo pipefail

target=${1:?usage: tools/fetch_mbedtls.sh FOLDER}
[ -f "$target/include/mbedtls/version.h" ] && exit 0
command -v dpkg-source >/dev/null || { echo "fetch_mbedtls: dpkg-source is missing; run tools/install_packages.sh test" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/parts" "$work/lists/partial" "$work/cache/archives/partial"
touch "$work/empty" "$work/status"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ -f "$file" ] && sed -nE 's/^deb(-src)?[[:space:]]/deb-src /p' "$file" | sort -u >"$work/parts/$(basename "$file" .list).list"
done
for file in /etc/apt/sources.list.d/*.sources; do
  [ -f "$file" ] && sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$work/parts/$(basename "$file")"
done

options=(-q -o Dir::Etc::sourcelist="$work/empty" -o Dir::Etc::sourceparts="$work/parts" -o Dir::State::lists="$work/lists"
         -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)"
         -o APT::Get::AllowUnauthenticated=false -o Acquire::Languages=none -o Acquire::Retries=3)
apt-get "${options[@]}" update >"$work/log" 2>&1 || true  # a source without deb-src is no harm; a missing one shows below
cd "$work"
apt-get "${options[@]}" source --download-only mbedtls >>"$work/log" 2>&1 || {
  cat "$work/log" >&2
  echo "fetch_mbedtls: apt cannot get the source package mbedtls; see the lines above" >&2
  exit 1
}
dpkg-source -x ./mbedtls_*.dsc "$work/mbedtls" >>"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
cd - >/dev/null
mkdir -p "$(dirname "$target")"
rm -rf "$target"
mv "$work/mbedtls" "$target"
