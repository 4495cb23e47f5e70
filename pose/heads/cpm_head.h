// CPMHead: heatmaps after every stage, all of them supervised; Wei et al. 2016, arXiv 1602.00134.
// Hourglass networks use it too.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// Wants one map of features per stage; the last one predicts.
std::unique_ptr<Head> make_cpm_head(const Config& config, const Scope& scope);

}  // namespace limber
