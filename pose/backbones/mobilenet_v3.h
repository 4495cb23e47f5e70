// MobileNetV3; Howard et al. 2019, arXiv 1905.02244.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_mobilenet_v3(const Config& config, const Scope& scope);

}  // namespace limber
