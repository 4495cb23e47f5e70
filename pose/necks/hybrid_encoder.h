// HybridEncoder: a transformer encoder on the coarsest map, then a feature pyramid downwards and
// upwards; Zhao et al. 2024 (RT-DETR), arXiv 2304.08069, figure 4. The neck of RTMO.
#pragma once

#include "pose/necks/neck.h"

namespace limber {

std::unique_ptr<Neck> make_hybrid_encoder(const Config& config, const Scope& scope);

}  // namespace limber
