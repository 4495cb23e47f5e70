// Vision transformer, MMPretrain's variant as ViTPose uses it; Dosovitskiy et al. 2020, arXiv
// 2010.11929; Xu et al. 2022, arXiv 2204.12484.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_vision_transformer(const Config& config, const Scope& scope);

}  // namespace limber
