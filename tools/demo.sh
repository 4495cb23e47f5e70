#!/usr/bin/env bash
# From nothing to a trained model and its report; wants a release build. Everything is written
# below build/demo. Nothing is downloaded: the pictures are drawn.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
limber=$PWD/build/release/bin/limber
config=$PWD/configs/demo/synth_res18_96x128.json
rm -rf build/demo
mkdir -p build/demo
cd build/demo

echo "== drawing the data set"
"$limber" synth data/synth --train 3000 --val 250 --test 12 --seed 7 --difficulty 0.3 --people 1-2
echo "== training"
"$limber" train "$config" --work-dir run
checkpoint=$(cat run/last_checkpoint)
echo "== evaluating on held-out pictures"
"$limber" test "$config" "$checkpoint" --work-dir test --out metrics.json
echo "== pictures the model has not seen"
"$limber" predict "$config" "$checkpoint" data/synth/test --boxes data/synth/annotations/test.json \
  --out-dir predictions
echo "== report"
"$limber" report "$config" "$checkpoint" --work-dir run --out report.html \
  --unseen predictions/*_pose.jpg
ap=$(sed -n 's/^ *"coco\/AP": *\([0-9.e-]*\),*$/\1/p' metrics.json)
printf 'AP %.4f  report %s\n' "$ap" "$PWD/report.html"
