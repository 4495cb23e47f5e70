// ShuffleNet: cheap grouped or split convolutions whose channels are shuffled in between; Zhang et
// al. 2018 (V1), arXiv 1707.01083, and Ma et al. 2018 (V2), arXiv 1807.11164.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_shufflenet_v1(const Config& config, const Scope& scope);
std::unique_ptr<Backbone> make_shufflenet_v2(const Config& config, const Scope& scope);

}  // namespace limber
