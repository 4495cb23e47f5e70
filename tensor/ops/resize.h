// Resizing of images.
#pragma once

#include "kernels/resize.h"
#include "tensor/op.h"

namespace limber {

// (x: (N, H, W, C)) -> y: (N, h, w, C).
struct ResizeOp : OpOf<OpKind::Resize, Keep::nothing> {
  kernels::ResizeShape shape;
  explicit ResizeOp(const kernels::ResizeShape& s) : shape(s) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
