// Feature pyramid network: coarse maps added to finer ones; Lin et al. 2017, arXiv 1612.03144.
#pragma once

#include "pose/necks/neck.h"

namespace limber {

std::unique_ptr<Neck> make_fpn(const Config& config, const Scope& scope);

}  // namespace limber
