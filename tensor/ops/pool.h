// Maximum and mean over windows of an image.
#pragma once

#include "kernels/pool.h"
#include "tensor/op.h"

namespace limber {

// (x: (N, H, W, C)) -> y: (N, H', W', C).
struct MaxPool2dOp : OpOf<OpKind::MaxPool2d, Keep::both> {
  kernels::WindowAxis rows, columns;
  MaxPool2dOp(const kernels::WindowAxis& r, const kernels::WindowAxis& c) : rows(r), columns(c) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

// The same shapes; adaptive pooling is another choice of windows.
struct AvgPool2dOp : OpOf<OpKind::AvgPool2d, Keep::nothing> {
  kernels::WindowAxis rows, columns;
  AvgPool2dOp(const kernels::WindowAxis& r, const kernels::WindowAxis& c) : rows(r), columns(c) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
