// Lite-HRNet: HRNet of shuffle blocks whose 1 x 1 convolutions have given way to weights computed
// across resolutions; Yu et al. 2021, arXiv 2104.06403.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_litehrnet(const Config& config, const Scope& scope);

}  // namespace limber
