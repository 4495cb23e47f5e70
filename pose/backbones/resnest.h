// ResNeSt: bottlenecks whose middle convolution weighs splits of its channels against each other;
// Zhang et al. 2022, arXiv 2004.08955.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_resnest(const Config& config, const Scope& scope);

}  // namespace limber
