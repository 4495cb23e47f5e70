// RLEHead: coordinates and their deviations, trained by residual log-likelihood; Li et al. 2021,
// arXiv 2107.11291.
#pragma once

#include "pose/heads/head.h"

namespace limber {

std::unique_ptr<Head> make_rle_head(const Config& config, const Scope& scope);

}  // namespace limber
