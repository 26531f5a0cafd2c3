#!/usr/bin/env bash
# Runs clang-tidy-14 with .clang-tidy on src and apps, or on the given files, each by itself (not in a unity build).
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset dev -B build/tidy -D RAPT_UNITY=OFF >/dev/null
if [ $# -eq 0 ]; then
  mapfile -t files < <(find src apps -name '*.cpp' | sort)
  set -- "${files[@]}"
fi
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p build/tidy
