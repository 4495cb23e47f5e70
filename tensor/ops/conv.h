// Convolution and transposed convolution over (N, H, W, C).
#pragma once

#include "kernels/conv.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {

// The geometry for the kernels of the convolution that maps x to y.
kernels::Conv conv2d_shape(const ConvGeometry& g, const Shape& x, const Shape& weight,
                           const Shape& y);

// (x, weight, bias or undefined) -> y. x: (N, H, W, C), weight: (O, kH, kW, C / groups).
struct Conv2dOp : OpOf<OpKind::Conv2d> {
  ConvGeometry geometry;
  explicit Conv2dOp(const ConvGeometry& g) : geometry(g) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
  // What the kernels see: x to y.
  kernels::Conv shape(const Shape& x, const Shape& weight, const Shape& y) const;
};

// (x, weight, bias or undefined) -> y, the data gradient of the convolution that maps y to x.
// x: (N, H, W, C), weight: (C, kH, kW, O / groups).
struct ConvTranspose2dOp : OpOf<OpKind::ConvTranspose2d> {
  ConvGeometry geometry;
  std::array<int, 2> output_padding;
  ConvTranspose2dOp(const ConvGeometry& g, std::array<int, 2> extra)
      : geometry(g), output_padding(extra) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
  // What the kernels see: the convolution from y to x.
  kernels::Conv shape(const Shape& x, const Shape& weight, const Shape& y) const;
};

}  // namespace limber
