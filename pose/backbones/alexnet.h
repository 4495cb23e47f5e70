// AlexNet; Krizhevsky et al. 2012, in the form of "One weird trick", arXiv 1404.5997.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_alexnet(const Config& config, const Scope& scope);

}  // namespace limber
