#!/usr/bin/env bash
# What only a machine with a GPU can tell, in one run: bench/gpu.sh [OUT.json]
#
# Builds for this machine's GPU, runs the test programs and compute-sanitizer on a part of them, times
# inference and training steps of four models in f32, TF32, f16 and bf16, and the same in PyTorch where
# it is installed; both choose cuDNN's engines by timing them. Every part is an entry of the JSON
# (default: bench/results/DATE-gpu.json): "ok", "failed", or "absent" with the reason, so that a part
# that did not run is named, not missing.
# Environment:
#   BATCHES of inference ("1 64"), TRAIN_BATCHES ("64 256"), RUNS (20), PYTHON (python3);
#   PROGRAMS: a folder with limber, limber_tests and limber_cuda_tests for this GPU, made elsewhere, in
#     place of the build;
#   PARTS: a regular expression, only the parts whose name matches run ("step bf16", "^limber");
#   LIMIT: seconds for the whole run; what is running then is stopped, the rest is "absent".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-bench/results/$(date +%Y-%m-%d)-gpu.json}
work=build/gpu-bench
python=${PYTHON:-python3}
topdown=configs/body_2d_keypoint
declare -A configs=(
  [resnet50]=$topdown/topdown_heatmap/coco/td-hm_res50_8xb64-210e_coco-256x192.json
  [hrnet-w32]=$topdown/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.json
  [rtmpose-m]=$topdown/rtmpose/coco/rtmpose-m_8xb256-420e_coco-256x192.json
  [vit-b]=bench/models/vit-b.json)
mkdir -p "$work" "$(dirname "$out")"
rows=$work/rows
: >"$rows"

absent=""  # why nothing can run, if so

# entry NAME STATUS TEXT, tab-separated for the JSON at the end; TEXT is a reason or a time.
entry() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$(printf %s "$3" | tr '\t\n' '  ')" >>"$rows"
  echo "$1: $2 $3"
}

# attempt NAME COMMAND...: runs it with a log of its own, whose path it leaves in `log`; where that
# does not come to a good end, makes the entry that says why.
attempt() {
  local name=$1 left=$((${LIMIT:-86400} - SECONDS)) why=$absent status=0
  [[ $name =~ ${PARTS:-.} ]] || why="PARTS leaves it out"
  [ "$left" -gt 0 ] || why=${why:-no time left of LIMIT}
  [ -z "$why" ] || { entry "$name" absent "$why"; return 1; }
  log=$work/$(tr -c 'a-zA-Z0-9\n' - <<<"$name").log
  shift
  timeout --kill-after=5 "$left" "$@" >"$log" 2>&1 || status=$?
  case $status in
    0) ;;
    124 | 137) entry "$name" absent "stopped when LIMIT was over: $log"; return 1 ;;
    *) entry "$name" failed "$log: $(tail -1 "$log")"; return 1 ;;
  esac
}

# part NAME COMMAND...: one that ends well or does not.
part() {
  local log
  attempt "$@" && entry "$1" ok "$log"
}

# timed NAME PATTERN COMMAND...: the milliseconds that stand before " ms" in the line with PATTERN, or
# the command's last line without one.
timed() {
  local name=$1 pattern=$2 log ms
  shift 2
  attempt "$name" "$@" || return
  if [ -n "$pattern" ]; then
    ms=$(grep -E -m1 -- "$pattern" "$log" | sed -E 's/.* ([0-9.]+) ms.*/\1/')
  else
    ms=$(tail -1 "$log")
  fi
  [[ $ms =~ ^[0-9.]+$ ]] && entry "$name" ok "$ms ms" || entry "$name" failed "$log: no time in it"
}

finish() {
  "$python" - "$rows" "$out" <<'PYTHON'
import json, subprocess, sys
def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip().split("\n")[0]
    except OSError:
        return ""
parts = {}
for line in open(sys.argv[1]):
    name, status, text = line.rstrip("\n").split("\t")
    timed = status == "ok" and text.endswith(" ms")
    parts[name] = {"status": status, **({"ms": float(text[:-3])} if timed else {"note": text})}
json.dump({"gpu": first_line("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"),
           "pytorch": first_line(sys.executable, "-c", "import torch; print(torch.__version__)"),
           "commit": first_line("git", "rev-parse", "HEAD"), "parts": parts},
          open(sys.argv[2], "w"), indent=1)
PYTHON
  echo "written: $out"
}
trap finish EXIT

capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -1 | tr -d .)
[ -n "$capability" ] || absent="no GPU: nvidia-smi finds none"
[ "$capability" != 90 ] || capability=90a
if [ -n "${PROGRAMS:-}" ]; then
  programs=$PROGRAMS
  entry build absent "programs of $PROGRAMS"
else
  programs=build/cuda/bin
  PARTS= part build bash -c "cmake --preset cuda -DLIMBER_CUDA_ARCHITECTURES=$capability &&
    cmake --build build/cuda --target limber limber_tests limber_cuda_tests" ||
    absent=${absent:-no programs: the build did not end well}
fi
# Tests without a GPU are skipped and end well: what the program itself sees counts.
if [ -z "$absent" ]; then
  device=$("$programs/limber" info 2>&1 | grep '^GPU: ' || echo "GPU: none, limber info does not run")
  entry "limber info" ok "$device"
  [[ $device == "GPU: cuda:"* ]] || absent=$device
fi
part limber_cuda_tests "$programs/limber_cuda_tests" --gtest_brief=1
part limber_tests "$programs/limber_tests" --gtest_brief=1
sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null)
for tool in memcheck racecheck; do
  if [ -n "$absent$sanitizer" ]; then
    part "compute-sanitizer $tool" "$sanitizer" --tool $tool --error-exitcode 1 \
      "$programs/limber_cuda_tests" --gtest_brief=1 \
      --gtest_filter='*CudaOps.EqualsTheCpu/*:CudaPlan.*'
  else
    entry "compute-sanitizer $tool" absent "no compute-sanitizer"
  fi
done

torch=$("$python" -c 'import torch; print(torch.cuda.is_available())' 2>&1 | tail -1)
export LIMBER_CUDNN_CHOICES=$work/cudnn-choices

# How both programs are told to compute in a type.
declare -A flags=([f32]="" [tf32]=--allow-tf32 [f16]="--amp f16" [bf16]="--amp bf16")

# peer NAME ARGUMENT...: a line of PyTorch's, eager and compiled.
peer() {
  local name=$1 compiled
  shift
  for compiled in "" --compile; do
    if [ "$torch" = True ]; then
      timed "pytorch${compiled:+ compiled} $name" "" \
        "$python" bench/peers/pytorch_gpu.py "$@" --runs "${RUNS:-20}" $compiled
    else
      entry "pytorch${compiled:+ compiled} $name" absent "${absent:-no PyTorch with a GPU: $torch}"
    fi
  done
}

for model in resnet50 hrnet-w32 rtmpose-m vit-b; do
  ours=("$programs/limber" bench "${configs[$model]}" --device cuda:0 --runs "${RUNS:-20}"
        --cfg-options env_cfg.cudnn_benchmark=true)
  for type in f32 tf32 f16 bf16; do
    for batch in ${BATCHES:-1 64}; do
      name="$model batch $batch forward $type"
      timed "limber $name plan" ' plan ' "${ours[@]}" --batch "$batch" ${flags[$type]}
      timed "limber $name eager" ' eager ' "${ours[@]}" --batch "$batch" ${flags[$type]} --eager
      peer "$name" "$model" "$batch" ${flags[$type]}
    done
    for batch in ${TRAIN_BATCHES:-64 256}; do
      name="$model batch $batch step $type"
      timed "limber $name" '^ +step ' "${ours[@]}" --batch "$batch" ${flags[$type]} --eager --train
      peer "$name" "$model" "$batch" --train ${flags[$type]}
    done
  done
done
