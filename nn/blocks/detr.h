// Transformer blocks of DETR (Carion et al. 2020, arXiv 2005.12872) under the names that PyTorch,
// MMCV and MMDetection give them. Tokens are (N, L, C).
#pragma once

#include "nn/blocks/transformer.h"

namespace limber {

struct DetrEncoderOptions {
  int64_t channels = 256;
  int heads = 8;
  double attention_drop = 0;  // of the softmax's weights
  double drop = 0;            // of what attention gives
  int64_t hidden = 1024;      // of the feed-forward part
  double ffn_drop = 0;
  ActOptions act{ActType::relu};
};

// Self-attention and feed-forward, each with a shortcut and a layer norm behind it. Parameters:
// self_attn.attn, ffn, norms.0, norms.1.
class DetrEncoderLayer {
 public:
  DetrEncoderLayer(const Scope& s, const DetrEncoderOptions& o);
  // x: (N, L, C). `position`, broadcast to that, is added to queries and keys.
  Tensor operator()(const Tensor& x, const Tensor& position, const Tensor& bias = {}) const;

 private:
  MultiheadAttention attention_;
  Dropout drop_;
  FeedForward ffn_;
  LayerNorm norm1_, norm2_;
};

// Positions as cosines and sines of D / 2 wave lengths, a geometric row from 2 pi to nearly
// 2 pi temperature. Parameter (a constant unless learnable): dim_t.
class SineEncoding {
 public:
  SineEncoding() = default;
  SineEncoding(const Scope& s, int64_t channels, double temperature, bool learnable = false);
  // positions: any shape -> that, D: the cosines, then the sines.
  Tensor operator()(const Tensor& positions) const;
  // The pixels of a map: (1, H W, 2 D), the row's encoding before the column's.
  Tensor grid(int64_t H, int64_t W) const;

 private:
  Tensor wavelengths_;
};

}  // namespace limber
