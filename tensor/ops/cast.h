// Numbers in another float type, with a gradient.
#pragma once

#include "tensor/op.h"

namespace limber {

// (x) -> x in the type `to`; the gradient comes back in x's.
struct CastOp : OpOf<OpKind::Cast, Keep::nothing> {
  DType from, to;
  CastOp(DType given, DType wanted) : from(given), to(wanted) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
