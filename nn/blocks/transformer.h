// The two halves of a transformer block (Vaswani et al. 2017, arXiv 1706.03762) under the names
// that MMPretrain and MMCV give them. Tokens are (N, L, C).
#pragma once

#include <vector>

#include "nn/norm_act.h"

namespace limber {

// attention() of tensor/ops.h with dropout of the weights; the same operation where nothing is
// dropped.
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias,
                 double scale, const Dropout& drop);

struct SelfAttentionOptions {
  int64_t channels = 0;
  int heads = 1;
  bool qkv_bias = true;
  double scale = 0;  // of the products of queries and keys; 0: (channels / heads)^-0.5
  double drop = 0;   // of the result
};

// Multi-head self-attention. Parameters: qkv, proj.
class SelfAttention {
 public:
  SelfAttention() = default;
  SelfAttention(const Scope& s, const SelfAttentionOptions& o);
  // x: (N, L, C), bias: undefined or broadcast to (N, heads, L, L), added before the softmax
  // -> (N, L, C)
  Tensor operator()(const Tensor& x, const Tensor& bias = {}) const;

 private:
  SelfAttentionOptions options_;
  Linear qkv_, proj_;
  Dropout drop_;
};

// Multi-head attention as MMCV wraps PyTorch's. Parameters: in_proj_weight, in_proj_bias, out_proj.
class MultiheadAttention {
 public:
  MultiheadAttention() = default;
  MultiheadAttention(const Scope& s, int64_t channels, int heads, bool bias, double attn_drop);
  // query: (N, L, C), key, value: (N, S, C) -> (N, L, C). bias: undefined or broadcast to
  // (N, heads, L, S), added before the softmax.
  Tensor operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                    const Tensor& bias) const;
  // x: (N, L, C), memory: (N, S, C), whose keys and values are looked up.
  Tensor operator()(const Tensor& x, const Tensor& memory, const Tensor& bias = {}) const {
    return (*this)(x, memory, memory, bias);
  }
  // Self-attention.
  Tensor operator()(const Tensor& x) const { return (*this)(x, x); }

 private:
  int heads_ = 1;
  Tensor in_weight_, in_bias_;
  Linear out_;
  Dropout drop_;
};

// Linear, activation, linear. Parameters: layers.0.0, layers.1.
class FeedForward {
 public:
  FeedForward() = default;
  FeedForward(const Scope& s, int64_t channels, int64_t hidden, const ActOptions& act, double drop);
  Tensor operator()(const Tensor& x) const;

 private:
  Linear expand_, reduce_;
  ActOptions act_;
  Dropout drop_;
};

// Linear layers with ReLUs between them, `hidden` wide inside. Parameters: layers.0, layers.1, ...
class Mlp {
 public:
  Mlp() = default;
  Mlp(const Scope& s, int64_t in, int64_t hidden, int64_t out, int layers);
  Tensor operator()(Tensor x) const;  // (..., in) -> (..., out)

 private:
  std::vector<Linear> layers_;
};

}  // namespace limber
