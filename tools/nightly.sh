#!/usr/bin/env bash
# What `./dev nightly` runs, too slow for every commit: tools/nightly.sh [asan] [tsan] [fuzz].
#   asan  the whole suite under AddressSanitizer and UndefinedBehaviorSanitizer
#   tsan  thread pool, loader and trainer under ThreadSanitizer
#   fuzz  the readers of outside files on damaged input, under the sanitizers of asan
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1

build() { cmake --preset "$1" >/dev/null && cmake --build "build/$1" --target limber_tests limber; }

nightly_asan() { build dev && ctest --test-dir build/dev -R limber_tests --output-on-failure -j "$(nproc)"; }

nightly_tsan() {
  build tsan && build/tsan/bin/limber_tests --gtest_brief=1 \
    --gtest_filter='*ThreadsDoNotChangeABit*:*Pool*:*Loader*:*Runner*:*Resume*:*Train*:-*Pool2d*'
}

nightly_fuzz() { build dev && build/dev/bin/limber_tests --gtest_brief=1 --gtest_filter='*Fuzz*'; }

steps=("$@")
[ $# -gt 0 ] || steps=(asan tsan fuzz)
failed=()
for step in "${steps[@]}"; do
  declare -F "nightly_$step" >/dev/null || { echo "no step $step" >&2; exit 2; }
  echo "== $step"
  "nightly_$step" || failed+=("$step")
done
[ ${#failed[@]} -eq 0 ] || { echo "FAILED: ${failed[*]}"; exit 1; }
echo "nightly run clean"
