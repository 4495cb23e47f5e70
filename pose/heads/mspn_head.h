// MSPNHead: heatmaps of several stages with several units each, all of one size and each with a
// target of its own level; Li et al. 2019 (MSPN), arXiv 1901.00148, and Cai et al. 2020 (RSN),
// arXiv 2003.04030, whose pose refine machine is an option.
#pragma once

#include "pose/heads/head.h"

namespace limber {

// Wants num_stages * num_units maps of features, stage by stage; the last one predicts.
std::unique_ptr<Head> make_mspn_head(const Config& config, const Scope& scope);

}  // namespace limber
