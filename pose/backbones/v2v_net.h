// V2VNet: an encoder and decoder over volumes; Moon et al. 2018 (V2V-PoseNet), arXiv 1711.07399, as
// VoxelPose has it. Input (N, D, H, W, input_channels), one feature (N, D, H, W, output_channels).
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_v2v_net(const Config& config, const Scope& scope);

}  // namespace limber
