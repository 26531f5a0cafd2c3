#!/usr/bin/env bash
# From a fresh Debian 12 to generated text: installs the packages that are missing, builds the program, and lets it
# train on the stories it carries.
set -euo pipefail
cd "$(dirname "$0")"
scripts/install_packages.sh
cmake --preset release >/dev/null
cmake --build --preset release --target rapt
build/release/rapt demo --minutes 1
