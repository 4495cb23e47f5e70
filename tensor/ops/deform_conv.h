// Deformable convolution over (N, H, W, C).
#pragma once

#include "kernels/deform_conv.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {

// (x, offset, weight, bias or undefined) -> y. x: (N, H, W, C), offset: (N, H', W', O kH kW 2),
// weight: (K, kH, kW, C / groups), y: (N, H', W', K).
struct DeformConv2dOp : OpOf<OpKind::DeformConv2d> {
  ConvGeometry geometry;
  int offset_groups;
  DeformConv2dOp(const ConvGeometry& g, int groups) : geometry(g), offset_groups(groups) {}
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
  kernels::DeformConv shape(const Shape& x, const Shape& weight, const Shape& y) const;
};

}  // namespace limber
