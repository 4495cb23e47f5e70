#include "tensor/ops/fused.h"

#include "tensor/ops/check.h"

namespace limber {
namespace {

// in[1] with the shape it had before packing, for the checks of the unfused op.
std::array<Tensor, 3> operands(const FusedTail& tail, std::span<const Tensor> in) {
  const Tensor& weight = in[1];
  return {in[0], tail.packed ? weight.alias(tail.weight) : weight, in[2]};
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
  return {tail.acts, tail.act, residual.in(), tail.packed, tail.narrow};
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

namespace {

// The kernel geometry of one of these ops, and whether it is the transposed convolution.
struct Geometry {
  kernels::Conv conv;
  bool transposed = false;
};

Geometry geometry_of(const Op& op, const FusedShapes& s) {
  switch (op.kind()) {
    case OpKind::ConvBiasAct:
      return {conv2d_shape(static_cast<const ConvBiasActOp&>(op).geometry, s.x, s.weight, s.y)};
    case OpKind::ConvTransposeBiasAct:
      return {
          conv2d_shape(static_cast<const ConvTransposeBiasActOp&>(op).geometry, s.y, s.weight, s.x),
          true};
    case OpKind::LinearBiasAct:
      return {linear_shape(s.x, s.weight)};
    default:
      fail(op.name(), ": has no packed weights");
  }
}

kernels::PackedForm form_of(const kernels::Exec& ex, const Geometry& g, const kernels::Narrow& n) {
  kernels::PackedForm form;
  g.transposed ? kernels::conv_transposed_packed_form(ex, g.conv, n, form)
               : kernels::conv_packed_form(ex, g.conv, n, form);
  return form;
}

DType packed_type(kernels::Precision precision) {
  switch (precision) {
    case kernels::Precision::f32:
      return DType::f32;
    case kernels::Precision::bf16:
      return DType::bf16;
    case kernels::Precision::int8:
      return DType::u8;
  }
  fail("no precision has the number ", int(precision));
}

}  // namespace

bool can_be_narrow(const Op& op, const FusedShapes& s) {
  return kernels::can_be_narrow(geometry_of(op, s).conv);
}

kernels::Narrow narrow_for(const kernels::Exec& ex, const Op& op, const FusedShapes& s,
                           kernels::Narrow wanted) {
  wanted.unit = kernels::matrix_unit(ex.isa, wanted.precision);
  return wanted.unit != kernels::MatrixUnit::none && can_be_narrow(op, s) ? wanted
                                                                          : kernels::Narrow{};
}

int64_t packed_weight_form(const kernels::Exec& ex, const Op& op, const FusedShapes& s,
                           const kernels::Narrow& n) {
  return form_of(ex, geometry_of(op, s), n).form;
}

Tensor packed_weight(const kernels::Exec& ex, const Op& op, const FusedShapes& s,
                     const kernels::Narrow& n, const Tensor& weight) {
  check(weight.dtype() == DType::f32, op.name(), ": packs weights of f32, not ", weight.dtype());
  const Geometry g = geometry_of(op, s);
  const Tensor to = Tensor::empty({form_of(ex, g, n).numbers}, packed_type(n.precision));
  g.transposed ? kernels::conv_transposed_pack(ex, g.conv, n, to.out(), weight.in())
               : kernels::conv_pack(ex, g.conv, n, to.out(), weight.in());
  return to;
}

}  // namespace limber
