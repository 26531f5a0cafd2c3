#!/usr/bin/env bash
# From a fresh Debian 12 to generated text: installs missing packages, builds the program, and trains on the built-in
# stories.
set -euo pipefail
cd "$(dirname "$0")"
scripts/install_packages.sh
cmake --preset release >/dev/null
cmake --build --preset release --target rapt
build/release/rapt demo --minutes 1
