// norm_cfg, act_cfg and the like, as options of layers.
#pragma once

#include "nn/norm_act.h"
#include "pose/config/config.h"

namespace limber {

// {"type": "BN" | "SyncBN" | "LN" | "GN", ...}; null: no norm.
NormOptions read_norm(const Config& norm_cfg);
NormOptions read_norm(const Config& parent, std::string_view key, const NormOptions& fallback);
// {"type": "ReLU", ...}; null: no activation.
ActOptions read_act(const Config& act_cfg);
ActOptions read_act(const Config& parent, std::string_view key, const ActOptions& fallback);

// One number or a pair (rows, columns).
std::array<int, 2> read_pair(const Config& value);

}  // namespace limber
