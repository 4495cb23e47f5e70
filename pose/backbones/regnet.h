// RegNetX: ResNeXt whose widths follow a quantised line; Radosavovic et al. 2020, arXiv
// 2003.13678.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_regnet(const Config& config, const Scope& scope);

}  // namespace limber
