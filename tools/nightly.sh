#!/usr/bin/env bash
# What `./dev nightly` runs, too slow for every commit: tools/nightly.sh [asan] [emulate] [tsan]
# [overfit] [fuzz].
#   asan     the whole suite under AddressSanitizer and UndefinedBehaviorSanitizer
#   emulate  the GPU's kernels on the CPU under the same two
#   tsan     thread pool, loader and trainer under ThreadSanitizer
#   overfit  HRNet-W32, ResNet-50 and RTMPose-m learn the sample pictures by heart
#   fuzz     the readers of outside files on damaged and invented input, under the sanitizers
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1

build() { cmake --preset "$1" >/dev/null && cmake --build "build/$1" --target limber_tests limber; }

nightly_asan() {
  build dev && ctest --test-dir build/dev -R limber_tests \
    --output-on-failure -j "$(nproc)"
}

nightly_emulate() {
  cmake --preset emulate-asan >/dev/null &&
    cmake --build build/emulate-asan --target limber_cuda_tests &&
    build/emulate-asan/bin/limber_cuda_tests --gtest_brief=1
}

nightly_tsan() {
  build tsan && build/tsan/bin/limber_tests --gtest_brief=1 \
    --gtest_filter='*Thread*:*Loader*:TrainingFile*:ProgramTrain*'
}

nightly_overfit() {
  build release && tools/overfit.sh
}

# The damaged files of the suite in larger numbers, then, where there is clang, its fuzzer on the
# targets of tests/fuzz for a minute each.
fuzz_target() {  # NAME SOURCE...
  local name=$1 out=build/fuzz
  shift
  mkdir -p "$out/$name" "$out/$name-corpus"
  clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
    "tests/fuzz/${name}_fuzz.cpp" "$@" build/release/lib/liblimber_{model,infer}.a \
    -o "$out/${name}_fuzz" &&
    TMPDIR=$out/$name "$out/${name}_fuzz" -max_total_time=60 -timeout=10 \
      -artifact_prefix="$out/" "$out/$name-corpus" >"$out/$name.log" 2>&1 ||
    { tail -30 "$out/$name.log"; return 1; }
  tail -1 "$out/$name.log"
}

nightly_fuzz() {
  build dev && LIMBER_DAMAGES=2000 build/dev/bin/limber_tests --gtest_brief=1 \
    --gtest_filter='DamagedFiles*' || return 1
  command -v clang++ >/dev/null || { echo "no clang++: the targets of tests/fuzz do not run"; return; }
  cmake --preset release >/dev/null && cmake --build build/release --target limber_model >/dev/null &&
    fuzz_target config pose/config/*.cpp &&
    fuzz_target pth nn/{pickle,pickle_value,pickle_globals,stored_tensor,zip_file,pth_reader}.cpp
}

steps=("$@")
[ $# -gt 0 ] || steps=(asan emulate tsan overfit fuzz)
failed=()
for step in "${steps[@]}"; do
  declare -F "nightly_$step" >/dev/null || { echo "no step $step" >&2; exit 2; }
  echo "== $step"
  "nightly_$step" || failed+=("$step")
done
[ ${#failed[@]} -eq 0 ] || { echo "FAILED: ${failed[*]}"; exit 1; }
echo "nightly run clean"
