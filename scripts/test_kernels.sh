#!/usr/bin/env bash
# Runs the tests of the dev preset that compute and are not slow with the kernels of other processors: OpenBLAS's by
# OPENBLAS_CORETYPE, rapt's own by RAPT_SIMD (docs/numerics.md). What this processor cannot run is named and left out, as
# are several processes: what they send each other is the same with all kernels.
#
#   scripts/test_kernels.sh                          every one
#   scripts/test_kernels.sh Nehalem/sse4 Haswell/    only these; an empty half means the best there is
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- / Nehalem/ Sandybridge/ Haswell/ Zen/ SkylakeX/ Cooperlake/ /sse4 /avx2 /avx512

has() { grep -qwm1 "$1" /proc/cpuinfo; }
can_run() {
  case $1 in
    SkylakeX | avx512) has avx512vl ;;
    Cooperlake) has avx512_bf16 ;;
    Haswell | Zen | avx2) has avx2 && has fma ;;
    Sandybridge) has avx ;;
    Nehalem | sse4) has sse4_2 ;;
    "") ;;
    *) echo "test_kernels: not known here: $1" >&2; exit 64 ;;
  esac
}

failed=()
for choice in "$@"; do
  kernel=${choice%%/*} simd=${choice#*/}
  if ! can_run "$kernel" || ! can_run "$simd"; then
    echo "test_kernels: $choice: this processor cannot run it"
    continue
  fi
  echo "test_kernels: OPENBLAS_CORETYPE=$kernel RAPT_SIMD=$simd"
  env -u OPENBLAS_CORETYPE ${kernel:+OPENBLAS_CORETYPE="$kernel"} RAPT_SIMD="$simd" \
    ctest --preset dev -LE slow -E '^(text|io|architecture|install)\.|^cli\.team' --no-tests=error -j "$(nproc)" || failed+=("$choice")
done
[ ${#failed[@]} -eq 0 ] || { echo "test_kernels: failed: ${failed[*]}" >&2; exit 1; }
