// The options that the plain backbones share: which stages go out, which are held still.
#pragma once

#include <functional>
#include <vector>

#include "nn/norm_act.h"
#include "pose/config/config.h"

namespace limber {

struct StageOptions {
  std::vector<int> out_indices;
  int frozen = -1;  // 0: the stem; i: the first i stages too
  bool norm_eval = false;
  NormOptions norm;
  bool wanted(int index) const;
};

// Reads out_indices, frozen_stages, norm_eval and norm_cfg, and accepts conv_cfg and with_cp, which
// change no number. There are stages 0 to count - 1; negative
// indices count from the end.
StageOptions read_stages(const Config& config, int count, const StageOptions& defaults);

// No gradients and evaluation mode for everything below.
void hold(const Scope& s);

// Holds the first `frozen` stages, of which stage(i) is the i-th, and the parameters of the stem
// "conv1"; its norm goes on counting, as in the reference. Applies norm_eval.
void freeze_stages(const Scope& s, const StageOptions& o, const std::function<Scope(int)>& stage);

// The multiple of 8 nearest to a width, but not less than 0.9 of it.
int64_t rounded_width(double width);

}  // namespace limber
