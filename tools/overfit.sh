#!/usr/bin/env bash
# Can each model family learn? Trains shipped configs on the few real pictures of ../shared/samples
# without augmentation (and tests without flipping) until they are known by heart, and asks for
# AP > 0.95 on those same pictures: tools/overfit.sh [DIRECTORY [NAME...]]. Wants a release build;
# everything is written below build/overfit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
limber=$PWD/build/release/bin/limber
samples=${1:-../shared/samples/coco}
[ -f "$samples/test_coco.json" ] || { echo "SKIPPED: no $samples/test_coco.json"; exit 0; }
samples=$(realpath "$samples")
shift || true
wanted=" $* "
coco=$PWD/configs/body_2d_keypoint
mkdir -p build/overfit
failed=0

overfit() {  # NAME CONFIG ITERATIONS OPTIMIZER CODEC
  local name=$1 config=$2 iterations=$3 optimizer=$4 codec=$5 dir=build/overfit/$1 ap
  [ "$wanted" = "  " ] || [[ $wanted == *" $name "* ]] || return 0
  rm -rf "$dir"
  local data='"data_root": "'$samples'", "ann_file": "test_coco.json", "data_prefix": {"img": ""}'
  local crop='{"type": "LoadImage"}, {"type": "GetBBoxCenterScale"},
      {"type": "TopdownAffine", "input_size": [192, 256]}'
  local eval='"batch_size": 12, "num_workers": 1, "dataset": {'$data', "bbox_file": ""}'
  cat >"$dir.json" <<JSON
{
  "_base_": "$config",
  "randomness": {"seed": 1},
  "train_cfg": {"max_epochs": $iterations, "val_interval": $iterations},
  "optim_wrapper": {"optimizer": {"_delete_": true, $optimizer}},
  "param_scheduler": [
    {"type": "LinearLR", "begin": 0, "end": 20, "start_factor": 0.01, "by_epoch": false},
    {"type": "CosineAnnealingLR", "begin": 0, "end": $iterations, "T_max": $iterations,
     "eta_min": 1e-5, "by_epoch": true}
  ],
  "default_hooks": {
    "logger": {"interval": 1},
    "checkpoint": {"_delete_": true, "type": "CheckpointHook", "interval": $iterations}
  },
  "custom_hooks": [],
  "model": {"test_cfg": {"flip_test": false}},
  "train_dataloader": {
    "batch_size": 12, "num_workers": 1,
    "dataset": {
      $data,
      "pipeline": [$crop, {"type": "GenerateTarget", "encoder": {$codec}}, {"type": "PackPoseInputs"}]
    }
  },
  "val_dataloader": {$eval},
  "test_dataloader": {$eval},
  "val_evaluator": {"ann_file": "$samples/test_coco.json"},
  "test_evaluator": {"ann_file": "$samples/test_coco.json"}
}
JSON
  "$limber" train "$dir.json" --no-validate --work-dir "$dir" >"$dir.log" 2>&1 &&
    "$limber" test "$dir.json" "$(cat "$dir/last_checkpoint")" --work-dir "$dir/test" \
      --out "$dir/metrics.json" >>"$dir.log" 2>&1 ||
    { tail -n 5 "$dir.log"; failed=1; return 0; }
  ap=$(sed -n 's/^ *"coco\/AP": *\([0-9.e-]*\),*$/\1/p' "$dir/metrics.json")
  printf '%-10s %4d iterations  loss %s  AP %s\n' "$name" "$iterations" \
    "$(grep -o ' loss: [0-9.e-]*' "$dir.log" | sed -n '1s/ loss: //p;$s/ loss: //p' | paste -sd' ' |
      sed 's/ / -> /')" "$ap"
  awk "BEGIN { exit !($ap > 0.95) }" || failed=1
}

heatmap='"type": "MSRAHeatmap", "input_size": [192, 256], "heatmap_size": [48, 64], "sigma": 2'
simcc='"type": "SimCCLabel", "input_size": [192, 256], "sigma": [4.9, 5.66],
  "simcc_split_ratio": 2.0, "normalize": false, "use_dark": false'
adam='"type": "Adam", "lr": 0.0005'
adamw='"type": "AdamW", "lr": 0.001, "weight_decay": 0.05'
overfit hrnet-w32 "$coco/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.json" \
  200 "$adam" "$heatmap"
overfit res50 "$coco/topdown_heatmap/coco/td-hm_res50_8xb64-210e_coco-256x192.json" \
  300 "$adam" "$heatmap"
overfit rtmpose-m "$coco/rtmpose/coco/rtmpose-m_8xb256-420e_coco-256x192.json" \
  300 "$adamw" "$simcc"
exit $failed
