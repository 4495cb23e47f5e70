// TCN: a temporal convolutional network over sequences of key points; Pavllo et al. 2019
// (VideoPose3D), arXiv 1811.11742. Input (N, 2 K, T), features (N, 1, T', C).
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_tcn(const Config& config, const Scope& scope);

}  // namespace limber
