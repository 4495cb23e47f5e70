// Convolutional pose machine: stages of large convolutions, each fed with the belief maps of the
// one before; Wei et al. 2016, arXiv 1602.00134.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

// Gives one map of beliefs per stage.
std::unique_ptr<Backbone> make_cpm(const Config& config, const Scope& scope);

}  // namespace limber
