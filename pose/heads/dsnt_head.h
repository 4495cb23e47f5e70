// DSNTHead: integral regression whose heatmaps are supervised as well; Nibali et al. 2018, arXiv
// 1801.07372.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// With lambda_t > 0 the loss of the maps is dropped from that epoch on.
std::unique_ptr<Head> make_dsnt_head(const Config& config, const Scope& scope);

}  // namespace limber
