// Softmax and log-softmax over the last dimension.
#pragma once

#include "tensor/op.h"

namespace limber {

// (x) -> y of the same shape.
struct SoftmaxOp : OpOf<OpKind::Softmax, Keep::outputs> {
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// (x) -> y of the same shape.
struct LogSoftmaxOp : OpOf<OpKind::LogSoftmax, Keep::outputs> {
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
