// VisPredictHead: any pose head, and beside it a linear layer that says how visible each key point
// is.
#pragma once

#include "pose/heads/head.h"

namespace limber {

std::unique_ptr<Head> make_vis_predict_head(const Config& config, const Scope& scope);

}  // namespace limber
