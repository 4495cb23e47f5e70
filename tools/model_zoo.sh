#!/usr/bin/env bash
# Writes docs/model-zoo.md: what every config of configs/ weighs and costs. Wants a release build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
limber=build/release/bin/limber
{
  cat <<'TEXT'
# Model zoo

The models of `configs/`, written by `tools/model_zoo.sh`: the size of the network's input (width x
height), its parameters in millions and the multiply-adds of one picture in billions (convolutions,
matrix products, attention; of CIDHead for 30 people, the most it takes), as `limber info CONFIG` counts
them. Names and counts of parameters are
those of MMPose's models, so its checkpoints load.

| config | backbone | head | input | parameters (M) | multiply-adds (G) |
| --- | --- | --- | --- | --- | --- |
TEXT
  find configs -name '*.json' -not -path 'configs/_base_/*' | LC_ALL=C sort |
    while read -r config; do "$limber" info "$config" --row; done
} >docs/model-zoo.md.new
mv docs/model-zoo.md.new docs/model-zoo.md
