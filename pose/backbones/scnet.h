// SCNet: half of the channels pass through a convolution that is calibrated at a lower resolution;
// Liu et al. 2020, "Improving convolutional networks with self-calibrated convolutions", CVPR.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_scnet(const Config& config, const Scope& scope);

}  // namespace limber
