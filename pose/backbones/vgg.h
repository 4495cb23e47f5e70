// VGG; Simonyan and Zisserman 2015, arXiv 1409.1556.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_vgg(const Config& config, const Scope& scope);

}  // namespace limber
