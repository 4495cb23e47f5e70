#include "tensor/ops/deform_conv.h"

#include "tensor/ops/check.h"
#include "tensor/ops/conv.h"

namespace limber {

std::vector<Spec> DeformConv2dOp::infer(std::span<const Tensor> in) const {
  const Tensor &x = in[0], &offset = in[1], &weight = in[2], &bias = in[3];
  // Results are where those of the plain convolution are.
  const std::array<Tensor, 3> plain{x, weight, bias};
  const Spec spec = Conv2dOp(geometry).infer(plain)[0];
  check_rank(offset, 4, "deform_conv2d", "the offset");
  check_same_dtype(x, offset, "deform_conv2d");
  check(offset_groups >= 1 && x.size(3) % offset_groups == 0, "deform_conv2d: ", x.size(3),
        " channels do not divide into ", offset_groups, " offset groups");
  const Shape wanted = spec.shape.with(3, 2 * offset_groups * weight.size(1) * weight.size(2));
  check(offset.shape() == wanted, "deform_conv2d: offset ", offset.shape(), ", ", wanted,
        " is wanted (input ", x.shape(), ", weight ", weight.shape(), ", offset groups ",
        offset_groups, ")");
  return {spec};
}

kernels::DeformConv DeformConv2dOp::shape(const Shape& x, const Shape& weight,
                                          const Shape& y) const {
  return {Conv2dOp(geometry).shape(x, weight, y), offset_groups};
}

void DeformConv2dOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                             std::span<const Tensor> out) const {
  kernels::deform_conv_forward(ex, shape(in[0].shape(), in[2].shape(), out[0].shape()),
                               out[0].out(), in[0].in(), in[1].in(), in[2].in(), in[3].in());
}

Tensor deform_conv2d(const Tensor& x, const Tensor& offset, const Tensor& weight,
                     const Tensor& bias, const ConvGeometry& g, int offset_groups) {
  return apply_one(DeformConv2dOp(g, offset_groups), {x, offset, weight, bias});
}

}  // namespace limber
