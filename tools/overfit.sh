#!/usr/bin/env bash
# Can each model family learn? Trains shipped configs on the few real pictures of ../shared/samples
# without augmentation until they are known by heart, and asks for AP > 0.95 on those same
# pictures: tools/overfit.sh [DIRECTORY]. Wants a release build; everything is written
# below build/overfit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
limber=$PWD/build/release/bin/limber
samples=${1:-../shared/samples/coco}
[ -f "$samples/test_coco.json" ] || { echo "SKIPPED: no $samples/test_coco.json"; exit 0; }
samples=$(realpath "$samples")
coco=configs/body_2d_keypoint
adam='{"type": "Adam", "lr": 0.0005}'
adamw='{"type": "AdamW", "lr": 0.001, "weight_decay": 0.0}'

overfit() {  # NAME CONFIG ITERATIONS OPTIMIZER OPTION...
  local name=$1 config=$2 iterations=$3 optimizer=$4 dir=build/overfit/$1 loader
  shift 4
  rm -rf "$dir"
  local options=(
    "train_cfg.max_epochs=$iterations" "train_cfg.val_interval=$iterations"
    "randomness.seed=1" "optim_wrapper.optimizer=$optimizer" 'custom_hooks=[]'
    'param_scheduler=[{"type": "LinearLR", "begin": 0, "end": 20, "start_factor": 0.01, "by_epoch": false},
      {"type": "CosineAnnealingLR", "begin": 0, "end": '"$iterations"', "eta_min": 1e-5, "by_epoch": true}]'
    'default_hooks.checkpoint={"type": "CheckpointHook", "interval": '"$iterations"'}'
    'default_hooks.logger.interval=20' 'model.test_cfg.flip_test=false')
  for loader in train_dataloader val_dataloader test_dataloader; do
    options+=("$loader.batch_size=12" "$loader.num_workers=1" "$loader.dataset.data_root=$samples"
              "$loader.dataset.ann_file=test_coco.json" "$loader.dataset.data_prefix.img=")
  done
  for loader in val test; do
    options+=("${loader}_dataloader.dataset.bbox_file=" "${loader}_evaluator.ann_file=$samples/test_coco.json")
  done
  "$limber" train "$config" --no-validate --work-dir "$dir" --cfg-options "${options[@]}" "$@" \
    >"$dir.log" 2>&1 || { tail -5 "$dir.log"; return 1; }
  "$limber" test "$config" "$(cat "$dir/last_checkpoint")" --work-dir "$dir/test" \
    --out "$dir/metrics.json" --cfg-options "${options[@]}" "$@" >>"$dir.log" 2>&1 ||
    { tail -5 "$dir.log"; return 1; }
  local ap
  ap=$(sed -n 's/^ *"coco\/AP": *\([0-9.e-]*\),*$/\1/p' "$dir/metrics.json")
  printf '%-12s %d iterations  AP %s\n' "$name" "$iterations" "$ap"
  awk "BEGIN { exit !($ap > 0.95) }"
}

mkdir -p build/overfit
failed=0
p=train_dataloader.dataset.pipeline
overfit hrnet-w32 $coco/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.json 200 "$adam" \
  $p.2.prob=0 $p.3.prob=0 $p.4.shift_prob=0 $p.4.scale_factor=[1,1] $p.4.rotate_prob=0 || failed=1
overfit res50 $coco/topdown_heatmap/coco/td-hm_res50_8xb64-210e_coco-256x192.json 300 "$adam" \
  $p.2.prob=0 $p.3.prob=0 $p.4.shift_prob=0 $p.4.scale_factor=[1,1] $p.4.rotate_prob=0 || failed=1
overfit rtmpose-m $coco/rtmpose/coco/rtmpose-m_8xb256-420e_coco-256x192.json 300 "$adamw" \
  $p.2.prob=0 $p.3.prob=0 $p.4.shift_prob=0 $p.4.scale_factor=[1,1] $p.4.rotate_prob=0 \
  $p.6.transforms=[] || failed=1
exit $failed
