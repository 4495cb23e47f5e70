// CSPNeXt, the backbone of RTMPose; Lyu et al. 2022, arXiv 2212.07784.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_cspnext(const Config& config, const Scope& scope);

}  // namespace limber
