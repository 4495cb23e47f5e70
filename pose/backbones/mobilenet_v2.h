// MobileNetV2: inverted residuals with linear bottlenecks; Sandler et al. 2018, arXiv 1801.04381.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_mobilenet_v2(const Config& config, const Scope& scope);

}  // namespace limber
