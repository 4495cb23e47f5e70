// Pretrained weights of backbones: the file that a config names, and its names and layouts made
// the backbone's.
#pragma once

#include <string>

#include "nn/checkpoint.h"
#include "pose/config/config.h"

namespace limber {

// The weights that an init_cfg of type Pretrained names: a file, or an address (https://...,
// torchvision://resnet50, mmcls://...). Nothing is downloaded: an address is looked for by its
// file name in $TORCH_HOME/hub/checkpoints (default ~/.cache/torch/hub/checkpoints), where PyTorch
// keeps downloads too. Throws InputError naming address and folder where it is not there. Of
// mmcls:// files only what lies below "backbone." is taken, without that prefix.
StateDict read_pretrained(const std::string& checkpoint);

// Renames and reshapes weights in the names of a backbone's original project to those of the
// backbone that the node describes: a plain ResNet's for MSPN, the authors' for Swin, PVT and
// PVTv2 with `convert_weights`. `scope`: the backbone's, for the extents of its own tables.
StateDict converted_for(const Config& backbone, StateDict weights, const Scope& scope);

}  // namespace limber
