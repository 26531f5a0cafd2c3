#!/usr/bin/env bash
# Runs clang-tidy-14 with .clang-tidy on src and apps, or on the given files, with the compile commands of each file
# by itself (no unity build).
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f build/tidy/compile_commands.json ] || cmake --preset dev -B build/tidy -D RAPT_UNITY=OFF >/dev/null
if [ $# -eq 0 ]; then
  mapfile -t files < <(find src apps -name '*.cpp' | sort)
  set -- "${files[@]}"
fi
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p build/tidy
