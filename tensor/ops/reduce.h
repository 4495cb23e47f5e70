// Sums along dimensions.
#pragma once

#include "tensor/op.h"

namespace limber {

// (x) -> factor times the sum over the dimensions [first, last), which are removed.
struct SumOp : OpOf<OpKind::Sum, Keep::nothing> {
  Shape from;
  int first, last;
  double factor;
  SumOp(const Shape& input, int begin, int end, double by)
      : from(input), first(begin), last(end), factor(by) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
