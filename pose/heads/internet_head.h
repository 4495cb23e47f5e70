// InternetHead: two hands as heat maps over x, y and depth, the depth between their wrists, and
// which hands there are; InterNet, Moon et al. 2020, arXiv 2008.09309.
#pragma once

#include "pose/heads/head.h"

namespace limber {

std::unique_ptr<Head> make_internet_head(const Config& config, const Scope& scope);

}  // namespace limber
