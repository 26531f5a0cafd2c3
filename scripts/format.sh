#!/usr/bin/env bash
# Formats every C++ file of the repository with clang-format-14. With --check, only lists files that differ, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(find src apps tests examples \( -name '*.h' -o -name '*.cpp' \) | sort)
case "${1:-}" in
  "") clang-format-14 -i "${files[@]}" ;;
  --check) clang-format-14 --dry-run --Werror "${files[@]}" ;;
  *) echo "usage: scripts/format.sh [--check]" >&2; exit 64 ;;
esac
