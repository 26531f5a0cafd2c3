#!/usr/bin/env bash
# Installs those Debian packages of scripts/packages.txt, and of the arguments, that are not there yet.
# With all of them present it needs neither a network nor root.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v apt-get >/dev/null; then
  echo "no apt-get here: install what scripts/packages.txt lists under the names of this system" >&2
  exit 0
fi
missing=()
for package in $(sed 's/#.*//' packages.txt) "$@"; do
  [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=(env DEBIAN_FRONTEND=noninteractive)
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "these packages need root or sudo to install: ${missing[*]}" >&2; exit 1; }
  root=(sudo "${root[@]}")
fi
echo "installing: ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() { "${root[@]}" apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; }
# Package lists that are missing or too old make the first try fail.
install || { "${root[@]}" apt-get update >"$log" 2>&1 && install; } || { cat "$log" >&2; exit 1; }
