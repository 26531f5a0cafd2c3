#!/usr/bin/env bash
# Builds the dev preset and runs every test. Arguments go to ctest: ./test.sh -L golden -V
set -euo pipefail
cd "$(dirname "$0")"
scripts/install_packages.sh clang-format-14 libopenmpi-dev openmpi-bin
scripts/format.sh --check
cmake --preset dev >/dev/null
cmake --build --preset dev
ctest --preset dev --no-tests=error -j "$(nproc)" "$@"
