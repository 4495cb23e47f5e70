// Swin Transformer: attention within windows that shift from block to block, on maps that halve
// from stage to stage; Liu et al. 2021, arXiv 2103.14030.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_swin(const Config& config, const Scope& scope);

}  // namespace limber
