// SimCCHead: heatmap layers, then one linear layer per axis on the flattened maps; Li et al. 2022,
// arXiv 2107.03332.
#pragma once

#include "pose/heads/head.h"

namespace limber {

std::unique_ptr<Head> make_simcc_head(const Config& config, const Scope& scope);

}  // namespace limber
