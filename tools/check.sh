#!/usr/bin/env bash
# What `./dev check` runs: each step says what it found; all run before the verdict. Wants a release
# build. tools/check.sh [STEP...] runs some of them.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=build/release

check_format() {
  git ls-files -co --exclude-standard -- '*.h' '*.cpp' '*.cu' '*.cuh' |
    xargs clang-format --dry-run -Werror || { echo "./dev format puts this right"; return 1; }
}

check_layers() { python3 tools/check_layers.py; }

# Links between our documents, and from them to files, lead somewhere.
check_links() {
  local bad=0 document target
  while read -r document; do
    while read -r target; do
      [ -e "$(dirname "$document")/${target%%#*}" ] || { echo "$document: no file $target"; bad=1; }
    done < <(sed '/^```/,/^```/d' "$document" | grep -oE '\]\([^)]+\)' | sed 's/^](//; s/)$//' | grep -vE '^(https?:|#|mailto:)')
  done < <(git ls-files -co --exclude-standard -- '*.md')
  return $bad
}

check_headers() {
  cmake --build $build --target limber_headers >$build/headers.log 2>&1 ||
    { grep -E 'error|FAILED' $build/headers.log; echo "a header does not compile alone"; return 1; }
}

# Weak symbols of kernel objects are candidates for the whole program's copy, whatever instruction
# set they were compiled for: they must stand in their own set's namespace.
check_isa() {
  local isa found bad=0 folder
  for folder in "$build"/CMakeFiles/limber_kernels_*.dir; do
    isa=${folder##*limber_kernels_}
    isa=${isa%.dir}
    found=$(find "$folder" -name '*.o' -print0 | xargs -0 "${NM:-nm}" -AC --defined-only | grep -E ' [WwVvu] ' | grep -v "limber::kernels::cpu::$isa::" |
      grep -v ' DW\.ref\.')
    if [ -n "$found" ]; then
      echo "weak symbols outside of limber::kernels::cpu::$isa (a std header, or a helper that is"
      echo "not LIMBER_INLINE):"
      sed 's|.*/kernels/|  kernels/|' <<<"$found"
      bad=1
    fi
  done
  return $bad
}

# Built for 64-bit ARM; the op suites (NEON kernels against the plain ones, threads against one) and
# the symbols of the kernels under emulation.
check_aarch64() {
  local log=$PWD/build/aarch64.log build=build/aarch64
  mkdir -p build
  { cmake --preset aarch64 && cmake --build $build --target limber_op_tests; } >"$log" 2>&1 || {
    grep -E -A3 'rror|FAILED|undefined' "$log" | head -20
    return 1
  }
  NM=aarch64-linux-gnu-nm check_isa &&
    qemu-aarch64 -L /usr/aarch64-linux-gnu $build/bin/limber_op_tests --gtest_brief=1 \
      --gtest_filter='-*OpSuite.Gradient*:*OpSuite.SinglePrecision*'
}

# The inference library alone: configured without the libraries of models and training, installed,
# found by find_package and pkg-config, linked and run by a project outside of this one on a file
# that `limber export` wrote; nothing of training, JSON or JPEG in the program; its size and memory.
check_consumer() {
  local root=$PWD/build/consumer absent=() package found
  for package in JPEG PNG fmt CLI11 GTest nlohmann_json; do
    absent+=("-DCMAKE_DISABLE_FIND_PACKAGE_$package=ON")
  done
  rm -rf "$root" && mkdir -p "$root"
  {
    cmake --preset infer "${absent[@]}" && cmake --build build/infer &&
      cmake --install build/infer --prefix "$root/installed" --strip &&
      cmake -G Ninja -S tests/consumer -B "$root/build" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_PREFIX_PATH="$root/installed" &&
      cmake --build "$root/build" &&
      cc -c examples/keypoints.c -o "$root/keypoints.o" \
        $(PKG_CONFIG_PATH=$(dirname "$(find "$root/installed" -name limber.pc)") \
          pkg-config --cflags limber) &&
      cc "$root/keypoints.o" -o "$root/by-pkg-config" \
        $(PKG_CONFIG_PATH=$(dirname "$(find "$root/installed" -name limber.pc)") \
          pkg-config --libs limber) &&
      $build/bin/limber export -o "$root/rtmpose-t.limber" \
        configs/body_2d_keypoint/rtmpose/coco/rtmpose-t_8xb256-420e_coco-256x192.json
  } >"$root/log" 2>&1 || {
    grep -E -A3 'rror|FAILED|undefined' "$root/log" | head -20
    echo "the installed library cannot be configured, built or linked: $root/log"
    return 1
  }
  { printf 'P6 300 400 255\n' && head -c 360000 /dev/zero | tr '\0' 'a'; } >"$root/grey.ppm"
  "$root/by-pkg-config" "$root/rtmpose-t.limber" "$root/grey.ppm" >/dev/null &&
    "$root/build/wrapper" "$root/rtmpose-t.limber" ||
    { echo "a consumer does not run its model"; return 1; }
  found=$(nm -C "$root/build/consumer" |
    grep -E 'limber::(Tape|GradContext|run_gradient_rule|require_grad|Config)\b|nlohmann|jpeg_|cblas_')
  [ -z "$found" ] || { echo "not for inference, but in its program:"; head <<<"$found"; return 1; }
  strip -o "$root/stripped" "$root/build/consumer"
  echo "archive $(find "$root/installed" -name 'liblimber_infer.a' -printf %k) KiB"
  python3 tools/measure_consumer.py "$root/stripped" "$root/rtmpose-t.limber" "$root/grey.ppm" \
    tests/consumer/limits.json
}

# The GPU's kernels on the CPU: built against the emulator, their suite run in both orders of threads.
check_emulate() {
  cmake --preset emulate >build/emulate.log 2>&1 &&
    cmake --build build/emulate --target limber_cuda_tests >>build/emulate.log 2>&1 || {
    grep -E 'error|undefined|FAILED' build/emulate.log | head -20
    echo "the emulated kernels do not build: build/emulate.log (undefined cuda::NAME: that kernel"
    echo "has no file in kernels/cuda)"
    return 1
  }
  build/emulate/bin/limber_cuda_tests --gtest_brief=1
}

# Every .cu file by nvcc, for both generations of GPU that builds default to, and by the host's
# compiler what calls CUDA and NVIDIA's libraries. Nothing is linked or run.
check_nvcc() {
  local nvcc file bad=0 include
  nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null)
  [ -n "$nvcc" ] || { echo "no nvcc here: the kernels were compiled for the emulator alone"; return 0; }
  mkdir -p build/nvcc
  ls kernels/cuda/*.cu | NVCC=$nvcc xargs -P "${JOBS:-$(nproc)}" -I{} bash -c '
    out=build/nvcc/$(basename {})
    newest=$(ls -t {} kernels/*.h kernels/cuda/*.cuh kernels/cuda/*.h "$out.o" 2>/dev/null | head -1)
    [ "$newest" = "$out.o" ] || "$NVCC" -std=c++20 -I. -DLIMBER_CUDA --expt-relaxed-constexpr \
      --extended-lambda -gencode arch=compute_80,code=sm_80 \
      -gencode arch=compute_90a,code=sm_90a -Xcompiler=-Wall -c {} -o "$out.o" >"$out.log" 2>&1 ||
      { grep -E -A3 "error" "$out.log" | head -12; exit 1; }' || bad=1
  # Asked of nvcc itself: the one on PATH may be a wrapper that lies in another folder.
  include=$("$nvcc" --dryrun -x cu -E /dev/null 2>&1 | sed -n "s/^#\\$ TOP=//p")/include
  for file in kernels/cuda/{runtime,libraries,cudnn,no_cudnn}/*.cpp; do
    [[ $file != */cudnn/* || -e $include/cudnn.h ]] || continue
    g++ -std=c++20 -fsyntax-only -I. -isystem "$include" -DLIMBER_CUDA -Wall -Wextra -Werror "$file" ||
      bad=1
  done
  [ $bad -eq 0 ] && echo "$(ls kernels/cuda/*.cu | wc -l) files compile for sm_80 and sm_90a"
  return $bad
}

steps=("$@")
[ $# -gt 0 ] || steps=(format layers links headers isa aarch64 consumer emulate nvcc)
failed=()
for step in "${steps[@]}"; do
  declare -F "check_$step" >/dev/null || { echo "no step $step" >&2; exit 2; }
  echo "== $step"
  "check_$step" || failed+=("$step")
done
[ ${#failed[@]} -eq 0 ] || { echo "FAILED: ${failed[*]}"; exit 1; }
echo "all checks passed"
