#include "tensor/ops/conv.h"

#include <algorithm>

#include "tensor/ops/check.h"

namespace limber {

kernels::Conv conv2d_shape(const ConvGeometry& g, const Shape& x, const Shape& weight,
                           const Shape& y) {
  kernels::Conv s;
  s.N = x[0], s.H = x[1], s.W = x[2], s.C = x[3];
  s.P = y[1], s.Q = y[2], s.K = y[3];
  s.R = weight[1], s.S = weight[2];
  s.stride_h = g.stride[0], s.stride_w = g.stride[1];
  s.pad_h = g.padding[0], s.pad_w = g.padding[1];
  s.dilation_h = g.dilation[0], s.dilation_w = g.dilation[1];
  s.groups = g.groups;
  return s;
}

namespace {

// What both ops demand.
void check_operands(std::span<const Tensor> in, const ConvGeometry& g, const char* op) {
  const Tensor &x = in[0], &weight = in[1], &bias = in[2];
  check_rank(x, 4, op, "the input");
  check_rank(weight, 4, op, "the weight");
  check_same_dtype(x, weight, op);
  if (bias.defined()) check_same_dtype(x, bias, op);
  for (int d = 0; d < 2; ++d) {
    check(g.stride[size_t(d)] >= 1 && g.dilation[size_t(d)] >= 1 && g.padding[size_t(d)] >= 0, op,
          ": stride and dilation must be positive, padding not negative");
  }
  check(g.groups >= 1, op, ": groups must be positive, not ", g.groups);
}

}  // namespace

std::vector<Spec> Conv2dOp::infer(std::span<const Tensor> in) const {
  check_operands(in, geometry, "conv2d");
  const Shape &x = in[0].shape(), &weight = in[1].shape();
  const ConvGeometry& g = geometry;
  const auto operands = [&] {
    return str(" (input ", x, ", weight ", weight, ", groups ", g.groups, ")");
  };
  if (x[3] != weight[3] * g.groups)
    fail("conv2d: input has ", x[3], " channels, weight expects ", weight[3] * g.groups,
         operands());
  if (weight[0] % g.groups != 0)
    fail("conv2d: ", weight[0], " filters do not divide into groups", operands());
  if (in[2].defined() && in[2].shape() != Shape{weight[0]})
    fail("conv2d: bias ", in[2].shape(), " for ", weight[0], " filters", operands());
  Shape y = x.with(3, weight[0]);
  for (int d = 1; d <= 2; ++d) {
    const size_t i = size_t(d - 1);
    const int64_t room = x[d] + int64_t{2} * g.padding[i] - g.dilation[i] * (weight[d] - 1) - 1;
    if (room < 0) fail("conv2d: the kernel is larger than the padded input", operands());
    y = y.with(d, room / g.stride[i] + 1);
  }
  return {{y, in[0].dtype()}};
}

kernels::Conv Conv2dOp::shape(const Shape& x, const Shape& weight, const Shape& y) const {
  return conv2d_shape(geometry, x, weight, y);
}

void Conv2dOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                       std::span<const Tensor> out) const {
  kernels::conv_forward(ex, shape(in[0].shape(), in[1].shape(), out[0].shape()), out[0].out(),
                        in[0].in(), in[1].in(), in[2].in());
}

std::vector<Spec> ConvTranspose2dOp::infer(std::span<const Tensor> in) const {
  check_operands(in, geometry, "conv_transpose2d");
  const Shape &x = in[0].shape(), &weight = in[1].shape();
  const ConvGeometry& g = geometry;
  const auto operands = [&] {
    return str(" (input ", x, ", weight ", weight, ", groups ", g.groups, ")");
  };
  if (x[3] != weight[0])
    fail("conv_transpose2d: input has ", x[3], " channels, weight expects ", weight[0], operands());
  if (x[3] % g.groups != 0)
    fail("conv_transpose2d: ", x[3], " channels do not divide into groups", operands());
  const int64_t channels = weight[3] * g.groups;
  if (in[2].defined() && in[2].shape() != Shape{channels})
    fail("conv_transpose2d: bias ", in[2].shape(), " for ", channels, " channels", operands());
  Shape y = x.with(3, channels);
  for (int d = 1; d <= 2; ++d) {
    const size_t i = size_t(d - 1);
    // More would name rows that the forward convolution cannot have seen.
    check(output_padding[i] >= 0 && output_padding[i] < std::max(g.stride[i], g.dilation[i]),
          "conv_transpose2d: output padding ", output_padding[i],
          " must be smaller than stride or dilation");
    const int64_t extent = (x[d] - 1) * g.stride[i] - int64_t{2} * g.padding[i] +
                           g.dilation[i] * (weight[d] - 1) + output_padding[i] + 1;
    if (extent < 1) fail("conv_transpose2d: empty result", operands());
    y = y.with(d, extent);
  }
  return {{y, in[0].dtype()}};
}

kernels::Conv ConvTranspose2dOp::shape(const Shape& x, const Shape& weight, const Shape& y) const {
  return conv2d_shape(geometry, y, weight, x);
}

void ConvTranspose2dOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                                std::span<const Tensor> out) const {
  kernels::conv_backward_data(ex, shape(in[0].shape(), in[1].shape(), out[0].shape()), out[0].out(),
                              in[0].in(), in[1].in(), in[2].in());
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& g) {
  return apply_one(Conv2dOp(g), {x, weight, bias});
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvGeometry& g, std::array<int, 2> output_padding) {
  return apply_one(ConvTranspose2dOp(g, output_padding), {x, weight, bias});
}

}  // namespace limber
