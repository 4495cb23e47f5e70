#include "tensor/ops/fused.h"

#include "tensor/ops/check.h"

namespace limber {
namespace {

// in[1] with the shape it had before packing, for the checks of the unfused op.
std::array<Tensor, 3> operands(const FusedTail& tail, std::span<const Tensor> in) {
  const Tensor& weight = in[1];
  return {in[0],
          tail.packed ? weight.alias(tail.weight) : weight,
          in[2]};
}

std::vector<Spec> with_tail(std::vector<Spec> result, const FusedTail& tail, const Tensor& residual,
                            const char* op) {
  check(!tail.acts || kernels::fuses(tail.act.f), op, ": an activation that does not fuse");
  check(!residual.defined() ||
            (residual.shape() == result[0].shape && residual.dtype() == result[0].dtype),
        op, ": the residual does not have the shape of the result, ", result[0].shape);
  return result;
}

kernels::Epilogue epilogue_of(const FusedTail& tail, const Tensor& residual) {
  return {tail.acts, tail.act, residual.in(), tail.packed};
}

// A fully connected layer as a 1 x 1 convolution over one column of pixels: threads share out rows.
kernels::Conv linear_shape(const Shape& x, const Shape& weight) {
  kernels::Conv s;
  s.N = s.W = s.Q = 1;
  s.H = s.P = x.outer(-1);
  s.C = weight[1];
  s.K = weight[0];
  return s;
}

}  // namespace

std::vector<Spec> ConvBiasActOp::infer(std::span<const Tensor> in) const {
  return with_tail(Conv2dOp(geometry).infer(operands(tail, in)), tail, in[3], "conv_bias_act");
}

void ConvBiasActOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                            std::span<const Tensor> out) const {
  const kernels::Conv s =
      conv2d_shape(geometry, in[0].shape(), tail.weight_shape(in[1]), out[0].shape());
  kernels::conv_fused(ex, s, epilogue_of(tail, in[3]), out[0].out(), in[0].in(), in[1].in(),
                      in[2].in());
}

std::vector<Spec> ConvTransposeBiasActOp::infer(std::span<const Tensor> in) const {
  return with_tail(ConvTranspose2dOp(geometry, output_padding).infer(operands(tail, in)), tail,
                   in[3], "conv_transpose_bias_act");
}

void ConvTransposeBiasActOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                                     std::span<const Tensor> out) const {
  // The convolution from the result to x.
  const kernels::Conv s =
      conv2d_shape(geometry, out[0].shape(), tail.weight_shape(in[1]), in[0].shape());
  kernels::conv_transposed_fused(ex, s, epilogue_of(tail, in[3]), out[0].out(), in[0].in(),
                                 in[1].in(), in[2].in());
}

std::vector<Spec> LinearBiasActOp::infer(std::span<const Tensor> in) const {
  return with_tail(LinearOp().infer(operands(tail, in)), tail, in[3], "linear_bias_act");
}

void LinearBiasActOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                              std::span<const Tensor> out) const {
  const kernels::Conv s = linear_shape(in[0].shape(), tail.weight_shape(in[1]));
  kernels::conv_fused(ex, s, epilogue_of(tail, in[3]), out[0].out(), in[0].in(), in[1].in(),
                      in[2].in());
}

Tensor packed_weight(const kernels::Exec& ex, const Op& op, const Shape& x, const Tensor& weight,
                     const Shape& y) {
  check(weight.dtype() == DType::f32, op.name(), ": packs weights of f32, not ", weight.dtype());
  const Shape& w = weight.shape();
  const auto packed = [](int64_t groups, int64_t filters, int64_t channels, int64_t taps) {
    return Tensor::empty({kernels::packed_size(groups, filters, channels, taps)});
  };
  switch (op.kind()) {
    case OpKind::ConvBiasAct: {
      const auto& g = static_cast<const ConvBiasActOp&>(op).geometry;
      const Tensor to = packed(g.groups, w[0] / g.groups, w[3], w[1] * w[2]);
      kernels::conv_pack(ex, conv2d_shape(g, x, w, y), to.out(), weight.in());
      return to;
    }
    case OpKind::ConvTransposeBiasAct: {
      const auto& g = static_cast<const ConvTransposeBiasActOp&>(op).geometry;
      const Tensor to = packed(g.groups, w[3], w[0] / g.groups, w[1] * w[2]);
      kernels::conv_transposed_pack(ex, conv2d_shape(g, y, w, x), to.out(), weight.in());
      return to;
    }
    case OpKind::LinearBiasAct: {
      const Tensor to = packed(1, w[0], w[1], 1);
      kernels::conv_pack(ex, linear_shape(x, w), to.out(), weight.in());
      return to;
    }
    default:
      fail(op.name(), ": has no packed weights");
  }
}

}  // namespace limber
