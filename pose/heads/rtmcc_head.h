// RTMCCHead: one map per key point, flattened into a token, a gated attention unit over the tokens,
// one linear layer per axis; Jiang et al. 2023 (RTMPose), arXiv 2303.07399.
#pragma once

#include "nn/blocks/gau.h"
#include "pose/heads/head.h"

namespace limber {

// gau_cfg of a head: K tokens of hidden_dims.
GauOptions read_gau(const Config& head, int64_t tokens);

// Scale norm, then a linear layer without bias: how flattened maps become tokens. Parameters: 0.g,
// 1.weight.
struct MapsToTokens {
  ScaleNorm norm;
  Linear linear;
  MapsToTokens() = default;
  MapsToTokens(const Scope& s, int64_t pixels, int64_t width);
  Tensor operator()(const Tensor& maps) const;  // (N, H, W, K) -> (N, K, width)
};

// normal(0.001) for convolutions, normal(0.01) for linear layers.
void initialise_rtm_head(const Scope& s);

std::unique_ptr<Head> make_rtmcc_head(const Config& config, const Scope& scope);

}  // namespace limber
