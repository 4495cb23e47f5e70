// Pyramid Vision Transformers: global attention whose keys and values come from a coarser map;
// Wang et al. 2021, arXiv 2102.12122, and version 2, arXiv 2106.13797.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_pvt(const Config& config, const Scope& scope);
std::unique_ptr<Backbone> make_pvt_v2(const Config& config, const Scope& scope);

}  // namespace limber
