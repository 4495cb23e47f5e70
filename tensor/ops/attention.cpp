#include "tensor/ops/attention.h"

#include <algorithm>

#include "tensor/ops.h"
#include "tensor/ops/check.h"
#include "tensor/ops/strides.h"

namespace limber {

kernels::Attention AttentionOp::plan(const Tensor& q, const Tensor& k, const Tensor& v,
                                     const Tensor& bias) const {
  kernels::Attention a{q.size(0), q.size(1), q.size(2), k.size(2), q.size(3), v.size(3), scale, {}};
  if (bias.defined()) {
    const Strides strides = strides_over(bias.shape(), Shape{a.B, a.H, a.L, a.S});
    std::copy_n(strides.begin(), 4, a.stride_bias);
  }
  return a;
}

std::vector<Spec> AttentionOp::infer(std::span<const Tensor> in) const {
  const Tensor &q = in[0], &k = in[1], &v = in[2], &bias = in[3];
  check_rank(q, 4, "attention", "q");
  check_rank(k, 4, "attention", "k");
  check_rank(v, 4, "attention", "v");
  check_same_dtype(q, k, "attention");
  check_same_dtype(q, v, "attention");
  check(k.shape() == q.shape().with(2, k.size(2)) && v.shape() == k.shape().with(3, v.size(3)),
        "attention: q ", q.shape(), ", k ", k.shape(), " and v ", v.shape(), " do not fit");
  check(k.size(2) > 0, "attention: no keys in k ", k.shape());
  if (bias.defined()) {
    check_same_dtype(q, bias, "attention");
    const Shape scores = q.shape().with(3, k.size(2));
    check(broadcast(bias.shape(), scores, "attention") == scores, "attention: bias ", bias.shape(),
          " does not broadcast to the scores ", scores);
  }
  return {{q.shape().with(3, v.size(3)), q.dtype()}, {q.shape().without(3), wide_type(q)}};
}

void AttentionOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                          std::span<const Tensor> out) const {
  if (out[1].numel() == 0) return;
  kernels::attention_forward(ex, plan(in[0], in[1], in[2], in[3]), out[0].out(), out[1].out(),
                             in[0].in(), in[1].in(), in[2].in(), in[3].in());
}

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias,
                 double scale) {
  return apply_one(AttentionOp(scale), {q, k, v, bias});
}

}  // namespace limber
