#!/usr/bin/env bash
# Installs the Debian packages in scripts/packages.txt and in the arguments that are missing.
# If none is missing, it needs neither a network nor root.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v apt-get >/dev/null; then
  echo "apt-get not found: install the packages in scripts/packages.txt under their names on this system" >&2
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
# The first try fails if package lists are missing or too old.
install || { "${root[@]}" apt-get update >"$log" 2>&1 && install; } || { cat "$log" >&2; exit 1; }
