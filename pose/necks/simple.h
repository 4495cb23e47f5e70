#pragma once

#include "pose/necks/neck.h"
#include "tensor/ops.h"

namespace limber {

std::unique_ptr<Neck> make_global_average_pooling(const Config& config, const Scope& scope);
std::unique_ptr<Neck> make_feature_map_processor(const Config& config, const Scope& scope);

}  // namespace limber
