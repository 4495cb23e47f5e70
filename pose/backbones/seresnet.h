// ResNet and ResNeXt with squeeze and excitation before the sums; Hu et al. 2018, arXiv
// 1709.01507.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_seresnet(const Config& config, const Scope& scope);
std::unique_ptr<Backbone> make_seresnext(const Config& config, const Scope& scope);

}  // namespace limber
