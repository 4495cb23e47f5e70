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

// How a coarser map is brought to a finer one's size: an upsample_cfg.
struct Upsampling {
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;
  double scale = 0;  // fixed factor; 0: the finer map's size
};
Upsampling read_upsampling(const Config& upsample_cfg);
// x: (N, h, w, C) -> (N, height, width, C), or scaled where `up` has a factor.
Tensor upsample(const Upsampling& up, const Tensor& x, int64_t height, int64_t width);

}  // namespace limber
