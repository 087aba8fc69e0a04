#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fails, and names them, if a linked image or an object defines or refers to symbols that the device library must not have.
#
# Usage: check_link.sh no-heap|no-double NM FILE …
#   no-heap    no allocator, exception, unwinder, RTTI, iostream or guarded static
#              (std::string_view::substr may stay: newlib-nano's out_of_range ends in abort)
#   no-double  no software double arithmetic, conversion or comparison
set -euo pipefail

rule=${1:?usage: check_link.sh no-heap|no-double NM FILE …}
nm=${2:?usage: check_link.sh no-heap|no-double NM FILE …}
shift 2
[ $# -gt 0 ] || { echo "check_link: no files given" >&2; exit 2; }

case "$rule" in
  no-heap)
    pattern='^(_?_?(malloc|calloc|realloc|free|memalign|aligned_alloc|posix_memalign|sbrk|strdup)(_r)?'
    pattern+='|_(malloc|calloc|realloc|free|sbrk)_r|_sbrk'
    pattern+='|_Zn[wa]j.*|_Zd[la]P.*'
    pattern+='|__cxa_(throw|rethrow|allocate_exception|begin_catch|end_catch|guard_acquire|guard_release|atexit)'
    pattern+='|_Unwind_.*|__gxx_personality_v0|__dynamic_cast|_ZTI.*|_ZTVN10__cxxabiv1.*'
    pattern+='|_ZNSt8ios_base.*|_ZSt4c(out|err|in)|_ZSo.*|_ZSt9terminatev|_ZSt(1[0-9]|2[0-35-9])__throw_.*)$' ;;
  no-double)
    pattern='^(__aeabi_(d[a-z0-9]+|cd[a-z]+|f2d|i2d|ui2d|l2d|ul2d|h2d)'
    pattern+='|__(add|sub|mul|div|neg|eq|ne|lt|le|gt|ge|unord)df[23](vfp)?|__(fix|fixuns|float|floatun|extend|trunc)[a-z]*df[a-z]*[0-9]?)$' ;;
  *) echo "check_link: unknown rule '$rule'" >&2; exit 2 ;;
esac

status=0
for file in "$@"; do
  symbols=$("$nm" --format=posix "$file")
  found=$(awk 'NF >= 2 { print $1 }' <<<"$symbols" | grep -E "$pattern" | sort -u || true)
  if [ -n "$found" ]; then
    while read -r symbol; do echo "$file: forbidden by $rule: $symbol"; done <<<"$found"
    status=1
  fi
done
exit "$status"
