// Fused scaled dot-product attention.
#pragma once

#include "kernels/attention.h"
#include "tensor/op.h"

namespace limber {

// (q, k, v, bias or undefined) -> (softmax(scale q k^T + bias) v, the log-sum-exp of the scores,
// (B, H, L), which the gradient reads and nobody else).
struct AttentionOp : OpOf<OpKind::Attention, Keep::both> {
  double scale;
  explicit AttentionOp(double factor) : scale(factor) {}
  // Sizes and strides for the kernels.
  kernels::Attention plan(const Tensor& q, const Tensor& k, const Tensor& v,
                          const Tensor& bias) const;
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
