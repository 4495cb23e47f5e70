// Dropout (Srivastava et al. 2014) and drop path (Huang et al. 2016, arXiv 1603.09382).
#pragma once

#include "tensor/op.h"

namespace limber {

// (x) -> scale x where the mask is not 0, else 0. mask: u8 (outer,), each byte for one element or
// for one sample of x. The mask is an attribute: it is drawn before the op runs, and the gradient
// is the same op on dy.
struct DropoutOp : OpOf<OpKind::Dropout, Keep::nothing> {
  Tensor mask;
  double scale;
  DropoutOp(Tensor kept, double factor) : mask(std::move(kept)), scale(factor) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
