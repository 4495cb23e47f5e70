// Parametric ReLU.
#pragma once

#include "tensor/op.h"

namespace limber {

// (x: (..., C), slope: (1,) or (C,)) -> y of x's shape.
struct PReluOp : OpOf<OpKind::PRelu, Keep::inputs> {
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
