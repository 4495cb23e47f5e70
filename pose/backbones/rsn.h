// Residual steps network; Cai et al. 2020, arXiv 2003.04030.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

// Gives num_stages * num_units maps, stage by stage, the coarsest first.
std::unique_ptr<Backbone> make_rsn(const Config& config, const Scope& scope);

}  // namespace limber
