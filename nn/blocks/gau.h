// Gated attention unit: one attention head whose weights are squared ReLUs, gated by a second
// branch; Hua et al. 2022, arXiv 2202.10447. The block of RTMPose, RTMW and RTMO.
#pragma once

#include "nn/norm_act.h"

namespace limber {

struct GauOptions {
  int64_t tokens = 0, in = 0, out = 0;  // tokens: the most there may be, for the relative bias
  double expansion = 2;                 // width of the gate over `in`
  int64_t s = 128;                      // width of queries and keys
  double eps = 1e-5;
  double dropout = 0, drop_path = 0;
  ActOptions act{ActType::silu};
  bool cross = false;  // keys and values come from elsewhere
  bool bias = false;   // of the linear layers
  bool relative_bias = true;
  bool rotary = false;  // rotary position embedding of queries and keys; arXiv 2104.09864
};

// Parameters: uv, o, ln.g; gamma and beta (self-attention); k_fc and v_fc (cross-attention); w or a
// and b (relative bias); res_scale.scale where in == out.
class Gau {
 public:
  Gau() = default;
  Gau(const Scope& s, const GauOptions& o);
  // x: (N, K, in) -> (N, K, out). `position`, (K, s) or undefined, is added to queries and keys.
  Tensor operator()(const Tensor& x, const Tensor& position = {}) const;
  // Cross-attention. x: (N, K, in), keys, values: (N, L, in) -> (N, K, out).
  Tensor operator()(const Tensor& x, const Tensor& keys, const Tensor& values) const;

 private:
  Tensor attend(const Tensor& u, const Tensor& q, const Tensor& k, const Tensor& v) const;
  Tensor relative_bias(int64_t queries, int64_t keys) const;  // (queries, keys)
  Tensor with_shortcut(const Tensor& x, const Tensor& main) const;

  GauOptions options_;
  int64_t e_ = 0;
  Linear uv_, o_, k_fc_, v_fc_;
  ScaleNorm norm_;
  Tensor gamma_, beta_, w_, a_, b_, scale_;
  Dropout dropout_;
  DropPath drop_path_;
};

// x: (N, K, D), token k turned by the angles k 10000^(2 i / D), i < D / 2 (sic: the exponent is
// positive in the reference).
Tensor rotary_embedding(const Tensor& x);

}  // namespace limber
