// HRFormer: HRNet whose blocks are transformer blocks with attention inside windows; Yuan et al.
// 2021, arXiv 2110.09408.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_hrformer(const Config& config, const Scope& scope);

}  // namespace limber
