// DSTFormer, MotionBERT's dual-stream spatio-temporal transformer; Zhu et al. 2023, arXiv
// 2210.06551. Input (N, T, K, C), one feature (N, T, K, feat_size).
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_dstformer(const Config& config, const Scope& scope);

}  // namespace limber
